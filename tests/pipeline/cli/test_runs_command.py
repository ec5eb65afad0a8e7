"""The runs on this machine, found again by their folders."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.runs.runs import find, listed, trained_model
from tests.command import fashion_mnist
from tests.pipeline.local_registry import FIRST, SECOND, add_run


def test_the_newest_run_comes_first(tmp_path: Path) -> None:
    for run in (FIRST, SECOND):
        add_run(tmp_path, run)
    newest, oldest = listed(tmp_path / "runs")
    assert (newest.id, oldest.id) == (SECOND, FIRST)
    assert (newest.state, newest.accuracy, newest.version) == ("done", 0.9123, "1")


def test_a_run_without_a_summary_is_unfinished_and_a_torn_one_is_damaged(tmp_path: Path) -> None:
    (add_run(tmp_path, FIRST) / "summary.json").unlink()
    (add_run(tmp_path, SECOND) / "summary.json").write_text('{"run": "fash')
    second, first = listed(tmp_path / "runs")
    assert (first.state, second.state) == ("unfinished", "damaged")
    assert first.started
    assert first.started.isoformat() == "2026-11-23T15:30:00+00:00"
    assert trained_model(first) is None


def test_a_folder_that_is_no_run_is_listed_last(tmp_path: Path) -> None:
    add_run(tmp_path, FIRST)
    (tmp_path / "runs" / "notes").mkdir()
    assert [run.id for run in listed(tmp_path / "runs")] == [FIRST, "notes"]


@pytest.mark.parametrize("reference", [SECOND, "cd34", "fashion-mnist-20261124", "last"])
def test_a_run_is_found_by_its_id_a_part_of_it_or_as_the_last(
    reference: str, tmp_path: Path
) -> None:
    for run in (FIRST, SECOND):
        add_run(tmp_path, run)
    assert find(tmp_path / "runs", reference).id == SECOND


def test_the_model_of_a_run_is_what_its_training_left(tmp_path: Path) -> None:
    folder = add_run(tmp_path, FIRST)
    (run,) = listed(tmp_path / "runs")
    assert trained_model(run) == folder / "steps" / "train" / "model"
    shutil.rmtree(folder / "steps")
    assert trained_model(run) is None


def test_the_command_lists_the_runs(tmp_path: Path) -> None:
    root = tmp_path / ".fashion-mnist"
    for run, accuracy in ((FIRST, 0.9), (SECOND, 0.91)):
        add_run(root, run, metrics={"accuracy": accuracy})
    failed = "fashion-mnist-20261125-090000-ef56"
    add_run(root, failed, state="failed", metrics={}, model={"name": "m", "version": ""})
    done = fashion_mnist("runs", cwd=tmp_path, COLUMNS="20")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["Run", "Age", "State", "Accuracy", "Version", "Time"]
    assert [row.split()[0] for row in rows] == [failed, SECOND, FIRST], "whole, in a pipe"
    assert "0.9100" in rows[1]
    assert "1 min 23 s" in rows[1]
    assert "predict --run" in done.stderr
    done = fashion_mnist("runs", "--json", "--count", "2", cwd=tmp_path)
    first, second = json.loads(done.stdout)
    assert (first["run"], first["state"], first["accuracy"]) == (failed, "failed", None)
    assert (second["run"], second["accuracy"], second["version"]) == (SECOND, 0.91, "1")
    assert done.stderr == ""


def test_without_runs_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    assert "fashion-mnist run" in fashion_mnist("runs", cwd=tmp_path).stdout
    assert json.loads(fashion_mnist("runs", "--json", cwd=tmp_path).stdout) == []
