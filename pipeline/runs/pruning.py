"""Removes the folders of old runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.runs.finding import listed
from pipeline.runs.record import Run
from pipeline.runs.root import Root


def prune(root: Root, keep: int) -> list[tuple[Run, int]]:
    """Removes the runs that are older than the ``keep`` newest successful ones.

    It returns them with the bytes that they took. Runs whose outputs a kept run uses stay. Call it
    while no run is in progress.
    """
    runs = listed(root)
    ends = [0, *(number for number, run in enumerate(runs, 1) if run.state == "done")]
    kept = runs[: ends[keep]] if keep < len(ends) else runs
    needed = _needed(kept, {run.id: run for run in runs})
    removed = [(run, size(run.directory)) for run in runs if run.id not in needed]
    for run, _bytes in removed:
        shutil.rmtree(run.directory)
    return removed


def size(directory: Path) -> int:
    """Bytes of the files below a directory."""
    found = (path for path in directory.rglob("*") if not path.is_symlink())
    return sum(path.stat().st_size for path in found if path.is_file())


def _needed(kept: list[Run], known: dict[str, Run]) -> set[str]:
    """The ids of runs and of all runs whose outputs they use."""
    needed: set[str] = set()
    waiting = [run.id for run in kept]
    while waiting:
        if (run_id := waiting.pop()) not in needed:
            needed.add(run_id)
            waiting += known.keys() & set(_mentioned(known[run_id]))
    return needed


def _mentioned(run: Run) -> Iterator[str]:
    """The parts of the paths of a run's outputs: an output from the cache is in another run."""
    yield run.earlier
    for task in run.steps.values():
        for output in task.outputs.values():
            yield from Path(getattr(output, "uri", "")).parts
