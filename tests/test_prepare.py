"""What the notebook's first cell does: finds the project, installs what is missing."""

import os
import runpy
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest

from pipeline.compiler import PROJECT
from tests.test_notebook import read_notebook

SCRIPT = PROJECT / "notebooks" / "prepare.py"


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The script's functions; nothing is installed."""
    module = runpy.run_path(str(SCRIPT))
    found: dict[str, Any] = module["main"].__globals__
    monkeypatch.setitem(found, "install", lambda: None)
    return found


def test_where_all_is_there_it_only_says_so(
    prepare: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare["missing"]() == []
    prepare["main"]()
    assert capsys.readouterr().out == f"ready: {PROJECT}\n"


def test_a_package_in_another_version_is_installed_and_a_restart_asked_for(
    prepare: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = prepare["version"]
    old = {"pyyaml": "1.0", "typing-extensions": "1.0"}

    def install() -> None:
        # The second one is no dependency of the project's own, and is replaced all the same.
        old.clear()

    monkeypatch.setitem(prepare, "version", lambda name: old.get(name) or there(name))
    monkeypatch.setitem(prepare, "install", install)
    assert prepare["missing"]() == ["pyyaml"]
    with pytest.raises(prepare["RestartNeeded"], match=r"^pyyaml, typing-extensions had been load"):
        prepare["main"]()
    assert "installing pyyaml and what they need" in capsys.readouterr().out
    prepare["main"]()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_python_that_has_nothing_can_run_the_notebook_after_the_first_cell(
    tmp_path: Path,
) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    elsewhere = tmp_path / "content"
    elsewhere.mkdir()
    (cell,) = [cell for cell in read_notebook().cells if cell.id == "setup"]
    address = "https://github.com/OWNER/REPOSITORY.git"
    assert address in cell.source
    source = cell.source.replace(address, str(PROJECT))
    use = "from pipeline.notebook import last_run; print(last_run)"
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for code in (f"{source}\n{use}", f"{source}\n{use}"):
        done = subprocess.run(
            [python, "-c", code], cwd=elsewhere, env=bare, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"ready: {elsewhere / 'fashion-mnist'}" in done.stdout
    assert "installing" not in done.stdout
