import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.notebook import freshness


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The commands that were called; each says that nothing is stale."""
    commands: list[Any] = []

    def call(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(freshness, "_passed", set())
    monkeypatch.setattr(subprocess, "run", call)
    return commands


def test_it_is_asked_again_only_after_an_edit(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "components").mkdir()
    monkeypatch.setattr(freshness, "PROJECT", tmp_path)
    for _ in range(2):
        freshness.check_compiled()
    assert len(asked) == 1
    (tmp_path / "components" / "model.py").write_text("")
    freshness.check_compiled()
    assert len(asked) == 2


def test_a_stale_file_is_told_as_the_command_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, 2, "", "error: compiled/ is stale: run …\n")

    monkeypatch.setattr(freshness, "_passed", set())
    monkeypatch.setattr(subprocess, "run", stale)
    with pytest.raises(UsageError, match=r"^compiled/ is stale: run …$"):
        freshness.check_compiled()
    with pytest.raises(UsageError):
        freshness.check_compiled()
