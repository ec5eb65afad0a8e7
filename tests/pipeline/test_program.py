"""How a command has to be typed."""

import shutil
import sys
from pathlib import Path

import pytest

from pipeline.program import command

OWN = Path(sys.executable).parent


def test_where_the_environment_is_active_it_is_a_name() -> None:
    assert command("run --preset fast") == "fashion-mnist run --preset fast"


def test_elsewhere_it_is_a_path_from_where_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(OWN.parents[1])
    assert command("runs") == f"{OWN.parent.name}/bin/fashion-mnist runs"
    monkeypatch.chdir("/")
    written = command("runs").removesuffix(" runs")
    assert (Path("/") / written).samefile(OWN / "fashion-mnist")


def test_another_program_of_that_name_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "fashion-mnist"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("fashion-mnist") == str(other)
    assert command("runs").endswith("bin/fashion-mnist runs")


def test_a_path_with_spaces_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "my environment" / "bin"
    place.mkdir(parents=True)
    (place / "fashion-mnist").touch()
    monkeypatch.setattr(sys, "executable", str(place / "python"))
    monkeypatch.setenv("PATH", "/usr/bin")
    assert command("runs") == f"'{place}/fashion-mnist' runs"
