"""Runs on this machine, found by their folders."""

import datetime
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.runs.finding import find, newest
from pipeline.runs.record import Run, RunError
from pipeline.runs.root import Root
from tests import evaluations

OLD, NEW, OTHER = (
    "fashion-mnist-20261124-111100-1111",
    "fashion-mnist-20261125-222200-2222",
    "other-20261123-333300-3333",
)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Three runs, the newest without an evaluation."""
    for run_id, day in ((OLD, 24), (NEW, 25), (OTHER, 23)):
        started = datetime.datetime(2026, 11, day, 10, tzinfo=datetime.UTC)
        evaluations.write_run(tmp_path, run_id, {} if run_id != NEW else None, started=started)
    return Root(tmp_path)


def evaluated(root: Root) -> Run:
    return newest(root, "an evaluation", lambda run: run.evaluated)


@pytest.mark.parametrize("reference", [OLD, "fashion-mnist-20261124", "1111"])
def test_a_run_is_found_by_its_id_its_start_or_a_part_of_it(root: Root, reference: str) -> None:
    assert find(root, reference).id == OLD


def test_a_run_is_found_by_its_folder_and_as_the_last(root: Root, tmp_path: Path) -> None:
    assert find(Root(Path("/nowhere")), str(tmp_path / "runs" / OLD)).id == OLD
    assert find(root, "last").id == NEW


def test_a_reference_that_matches_none_or_several_is_an_error_that_lists_runs(root: Root) -> None:
    with pytest.raises(UsageError, match=f"no run nine in .*; there are {NEW}, {OLD}, {OTHER}$"):
        find(root, "nine")
    with pytest.raises(UsageError, match=f"several runs' names: {NEW}, {OLD}$"):
        find(root, "fashion")
    for number in range(5):
        evaluations.write_run(root.path, f"before-{number}")
    with pytest.raises(UsageError, match=f"{NEW}, before-4, .*, before-1 and 3 older$"):
        find(root, "nine")


def test_without_any_run_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run; start one with `fashion-mnist run`"):
        find(Root(tmp_path), "nine")
    with pytest.raises(RunError, match="start one with `fashion-mnist run`"):
        evaluated(Root(tmp_path))


def test_the_newest_with_an_evaluation_is_the_last_that_ended_with_one(root: Root) -> None:
    assert evaluated(root).id == OLD
    (root.runs / OLD / "summary.json").unlink()
    assert evaluated(root).id == OTHER
