"""Old runs are removed; what a kept run uses stays."""

from pathlib import Path

import pytest

from pipeline.runs.pruning import prune
from pipeline.runs.record import Artifact, Task
from pipeline.runs.root import Root
from tests.pipeline.local_registry import add_run


def run_id(day: int) -> str:
    return f"fashion-mnist-202611{day:02}-120000-{day:04}"


@pytest.mark.parametrize(
    ("keep", "kept"), [(0, []), (1, [5, 4, 1]), (2, [5, 4, 3, 1]), (9, [5, 4, 3, 2, 1])]
)
def test_the_newest_successful_runs_and_what_they_use_stay(
    tmp_path: Path, keep: int, kept: list[int]
) -> None:
    records = tmp_path / "runs" / run_id(1) / "steps" / "decode" / "train_records"
    cached = {"decode": Task("decode", "Decode", "cached", 0.0, {"r": Artifact(str(records))})}
    for day in (1, 2, 3):
        add_run(tmp_path, run_id(day))
    add_run(tmp_path, run_id(4), steps=cached)
    add_run(tmp_path, run_id(5), state="failed")
    before = {path.name for path in (tmp_path / "runs").iterdir()}
    removed = prune(Root(tmp_path), keep)
    left = {path.name for path in (tmp_path / "runs").iterdir()}
    assert left == {run_id(day) for day in kept}
    assert {run.id for run, _bytes in removed} == before - left
    assert all(size > 0 for _run, size in removed)


def test_a_step_that_was_run_again_needs_the_run_that_it_began_with(tmp_path: Path) -> None:
    for day in (1, 2):
        add_run(tmp_path, run_id(day))
    add_run(tmp_path, run_id(3), earlier=run_id(1))
    assert [run.id for run, _bytes in prune(Root(tmp_path), 1)] == [run_id(2)]
