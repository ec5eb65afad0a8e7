"""Times, paths and commands as a person reads and types them."""

import datetime
import sys
from pathlib import Path

import pytest

from pipeline.text import age, command, shown

INSTALLED = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "59 s"), (60, "1 min"), (47 * 3600, "47 h"), (50 * 3600, "2 days")],
)
def test_an_age_has_one_unit(seconds: int, text: str) -> None:
    now = datetime.datetime.now(tz=datetime.UTC)
    assert age(now - datetime.timedelta(seconds=seconds)) == text
    assert age(None) == ""


def test_elsewhere_a_command_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(INSTALLED.parents[1])
    assert command("runs") == f"{INSTALLED.parent.name}/bin/fashion-mnist runs"
    monkeypatch.chdir(tmp_path)
    assert command("runs") == f"{INSTALLED}/fashion-mnist runs"


def test_a_path_is_as_short_as_the_working_directory_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project" / "docs").mkdir(parents=True)
    report = tmp_path / "project" / "report.html"
    for folder, short in {"project": "report.html", "project/docs": "../report.html"}.items():
        monkeypatch.chdir(tmp_path / folder)
        assert shown(report) == short
    monkeypatch.chdir("/usr/lib")
    assert shown(report) == str(report)
