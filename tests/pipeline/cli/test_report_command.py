import json
import sys
import webbrowser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import report_command
from pipeline.cli.app import app
from tests import evaluations
from tests.command import fashion_mnist

RUN = "fashion-mnist-20261124-234143-7fde"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    evaluations.write_run(tmp_path / "root", RUN, evaluations.evaluation(per_class=10))
    return tmp_path / "root"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    pages: list[str] = []

    def show(page: str) -> bool:
        pages.append(page)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    return pages


def test_the_newest_page_is_made_anew_and_its_path_printed(root: Path) -> None:
    done = fashion_mnist("report", "--root", "root", cwd=root.parent, DISPLAY=":0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"root/runs/{RUN}/report.html\n"
    assert (root.parent / done.stdout.strip()).read_text().startswith("<!doctype html>")


def test_an_unknown_run_is_wrong_use_in_one_line(root: Path) -> None:
    done = fashion_mnist("report", "nine", "--root", str(root), cwd=root)
    assert done.returncode == 2
    assert done.stderr == f"error: there is no run nine in {root}/runs; there are {RUN}\n"


def test_a_page_for_a_folder_that_is_missing_is_an_error_of_one_line(root: Path) -> None:
    done = fashion_mnist("report", "--root", str(root), "--output", "missing/x.html", cwd=root)
    assert done.returncode == 1
    said = "missing/x.html: there is no folder missing; make it, or choose another"
    assert done.stderr == f"error: {said}\n"


def test_json_says_what_the_page_is_about(root: Path, opened: list[str]) -> None:
    done = CliRunner().invoke(app, ["report", "--root", str(root), "--json"])
    told = json.loads(done.stdout)
    assert told["run"] == RUN
    assert told["metrics"] == {"accuracy": 0.75}
    assert told["model"] == {"name": "fashion-mnist", "version": "13"}
    assert Path(told["report"]).is_file()
    assert opened == []


def test_the_page_opens_when_asked_for(root: Path, opened: list[str]) -> None:
    CliRunner().invoke(app, ["report", "7fde", "--root", str(root), "--open"])
    assert opened == [(root / "runs" / RUN / "report.html").as_uri()]


def test_the_page_opens_by_itself_where_somebody_can_see_it(
    root: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_command, "has_display", lambda: False)
    CliRunner().invoke(app, ["report", "--root", str(root)])
    assert opened == []
    monkeypatch.setattr(report_command, "has_display", lambda: True)
    CliRunner().invoke(app, ["report", "--root", str(root), "--no-open"])
    assert opened == []
    CliRunner().invoke(app, ["report", "--root", str(root)])
    assert len(opened) == 1


def test_without_a_browser_the_command_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _page: False)
    done = CliRunner().invoke(app, ["report", "--root", str(root), "--open"])
    assert done.exit_code == 0
    assert "no browser was found" in done.output


def test_a_display_is_a_terminal_with_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not report_command.has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert report_command.has_display()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert not report_command.has_display()
