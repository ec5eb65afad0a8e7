"""The commands about what earlier runs left."""

import json
import re
import sys
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import record_commands
from tests import evaluations
from tests.pipeline.cli.conftest import Call
from tests.pipeline.local_registry import FIRST, SECOND, add_run

ROOT = Path(".fashion-mnist")
FAILED = "fashion-mnist-20261125-090000-ef56"
EVALUATED = "fashion-mnist-20261124-234143-7fde"


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return evaluations.evaluation(per_class=10)


@pytest.mark.parametrize("name", ["runs", "models"])
def test_an_empty_list_says_how_to_start(name: str, call: Call) -> None:
    assert "fashion-mnist run" in call(name).stdout
    assert json.loads(call(name, "--json").stdout) == []


class TestRuns:
    def test_they_are_listed_the_newest_first(self, call: Call) -> None:
        add_run(ROOT, FIRST)
        add_run(ROOT, FAILED, state="failed", accuracy=None, version="")
        add_run(ROOT, SECOND, accuracy=0.91)
        done = call("runs", env={"COLUMNS": "20"})
        assert done.exit_code == 0, done.stderr
        header, *rows = done.stdout.splitlines()
        assert header.split() == ["Run", "State", "Accuracy", "Version", "Age", "Time"]
        assert [row.split()[0] for row in rows] == [FAILED, SECOND, FIRST]
        assert rows[1].split()[1:4] == ["done", "0.9100", "1"]
        assert rows[1].endswith("  1 min 23 s")
        assert "predict --run" in done.stderr
        printed = call("runs", "--json", "--count", "2")
        first, second = json.loads(printed.stdout)
        assert (first["run"], first["state"], first["accuracy"]) == (FAILED, "failed", None)
        assert (second["run"], second["accuracy"], second["version"]) == (SECOND, 0.91, "1")
        assert printed.stderr == ""

    def test_old_ones_are_removed_with_the_space_that_it_frees(self, call: Call) -> None:
        for run in (FIRST, SECOND):
            add_run(ROOT, run)
        assert re.fullmatch(
            r"removed 1 run, freed [\d.]+ \w+\n", call("runs", "--prune", "--keep", "1").stdout
        )
        assert json.loads(call("runs", "--prune", "--json").stdout) == {"removed": [], "bytes": 0}


class TestReport:
    @pytest.fixture(autouse=True)
    def run(self, call: Call, facts: dict[str, Any]) -> Path:
        evaluations.write_run(ROOT, EVALUATED, facts)
        return ROOT / "runs" / EVALUATED

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        pages: list[str] = []

        def show(page: str) -> bool:
            pages.append(page)
            return True

        monkeypatch.setattr(webbrowser, "open", show)
        return pages

    def test_the_newest_report_is_rebuilt_and_its_path_printed(self, call: Call, run: Path) -> None:
        done = call("report")
        assert (done.exit_code, done.stdout) == (0, f"{run}/report.html\n")
        assert (run / "report.html").read_text().startswith("<!doctype html>")

    def test_json_says_what_the_report_is_about(self, call: Call, opened: list[str]) -> None:
        about = json.loads(call("report", "--json").stdout)
        assert (about["run"], about["state"]) == (EVALUATED, "done")
        assert about["metrics"] == {"accuracy": 0.75}
        assert about["model"] == {"name": "fashion-mnist", "version": "13"}
        assert Path(about["report"]).is_file()
        assert opened == []

    @pytest.mark.parametrize(
        ("asked", "screen", "opens"),
        [(True, "", True), (False, ":0", False), (None, ":0", True), (None, "", False)],
    )
    def test_the_report_opens_if_asked_or_if_somebody_can_see_it(
        self,
        asked: bool | None,
        screen: str,
        opens: bool,
        run: Path,
        opened: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", screen)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        record_commands.report("7fde", ROOT, show=asked)
        assert opened == ([(run.resolve() / "report.html").as_uri()] if opens else [])
