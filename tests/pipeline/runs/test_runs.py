from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.runs import runs
from pipeline.runs.runs import RunError
from tests import evaluations

OLD, NEW, OTHER = (
    "fashion-mnist-20261124-1111",
    "fashion-mnist-20261125-2222",
    "other-20261123-3333",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    started = {OLD: "2026-11-24", NEW: "2026-11-25", OTHER: "2026-11-23"}
    for run_id, day in started.items():
        at = f"{day}T10:00:00+00:00"
        evaluations.write_run(tmp_path, run_id, {} if run_id != NEW else None, started=at)
    return tmp_path / "runs"


@pytest.mark.parametrize("reference", [OLD, "fashion-mnist-20261124", "1111"])
def test_a_run_is_found_by_its_id_its_start_or_a_part_of_it(folder: Path, reference: str) -> None:
    assert runs.find(folder, reference).directory == folder / OLD


def test_the_whole_id_wins_over_a_longer_one(folder: Path) -> None:
    evaluations.write_run(folder.parent, f"{OLD}-1")
    assert runs.find(folder, OLD).directory == folder / OLD


def test_the_start_of_an_id_wins_over_the_middle_of_another(folder: Path) -> None:
    evaluations.write_run(folder.parent, f"before-{OTHER}")
    assert runs.find(folder, "other").directory == folder / OTHER


def test_a_run_is_found_by_its_folder(folder: Path) -> None:
    assert runs.find(Path("/nowhere"), str(folder / OLD)).directory == folder / OLD


def test_an_unknown_run_is_an_error_that_names_the_known_ones_the_newest_first(
    folder: Path,
) -> None:
    with pytest.raises(UsageError, match=f"no run nine in .*; there are {NEW}, {OLD}, {OTHER}$"):
        runs.find(folder, "nine")


def test_of_many_runs_five_are_named_and_the_others_counted(tmp_path: Path) -> None:
    for number in range(8):
        evaluations.write_run(tmp_path, f"run-{number}")
    with pytest.raises(UsageError, match=r"run-7, run-6, run-5, run-4, run-3 and 3 older$"):
        runs.find(tmp_path / "runs", "nine")


def test_what_several_runs_have_in_common_is_an_error_that_names_them(folder: Path) -> None:
    with pytest.raises(UsageError, match=f"several runs' names: {NEW}, {OLD}$"):
        runs.find(folder, "fashion")


def test_without_any_run_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run; start one with `fashion-mnist run`"):
        runs.find(tmp_path / "runs", "nine")
    with pytest.raises(RunError, match="start one with `fashion-mnist run`"):
        runs.newest_evaluated(tmp_path / "runs")


def test_the_newest_run_is_the_last_to_have_an_evaluation(folder: Path) -> None:
    assert runs.newest_evaluated(folder).directory == folder / OLD


def test_a_run_that_was_killed_at_its_end_is_not_the_newest(folder: Path) -> None:
    (folder / OLD / "summary.json").unlink()
    assert runs.newest_evaluated(folder).directory == folder / OTHER


def test_a_run_that_failed_before_its_evaluation_says_why(tmp_path: Path) -> None:
    failed = evaluations.write_run(
        tmp_path, OLD, state="failed", error="Train failed: dropout is 1.5"
    )
    with pytest.raises(RunError, match=f"{OLD} has no evaluation: Train failed: dropout is 1.5$"):
        runs.evaluation(failed)


def test_a_run_that_was_interrupted_before_its_evaluation_says_so(tmp_path: Path) -> None:
    stopped = evaluations.write_run(tmp_path, OLD, state="interrupted")
    with pytest.raises(RunError, match=f"{OLD} has no evaluation: it was interrupted before$"):
        runs.evaluation(stopped)


def test_a_run_without_summary_goes_on_or_was_killed(folder: Path) -> None:
    (folder / OLD / "summary.json").unlink()
    with pytest.raises(RunError, match=rf"{OLD} has no .* it was killed; .* or run again"):
        runs.evaluation(folder / OLD)


def test_a_damaged_summary_is_an_error_that_names_the_file(folder: Path) -> None:
    (folder / OLD / "summary.json").write_text("{")
    with pytest.raises(RunError, match=r"summary\.json is no JSON"):
        runs.summary(folder / OLD)
