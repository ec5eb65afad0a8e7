"""Runs the pipeline from a cell."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.checkout import git_revision
from pipeline.compiler import COMPILED, PROJECT
from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.notebook import runs
from pipeline.notebook.artifacts import place
from pipeline.runs.finding import listed
from pipeline.runs.record import Run, RunError, Task
from pipeline.specs import parameters
from pipeline.specs import spec as specs

_checked: set[int] = set()
"""When a file was last edited, for each state that was checked."""


def last_run(*, or_start: str | None = None, root: Path | None = None) -> Run:
    """The newest run of the whole pipeline on this machine that succeeded.

    ``or_start`` is the preset to run the pipeline with if there is no run yet.

    Raises:
        RunError: There is none yet.
        StepFailed: The run that was started failed.
    """
    for run in listed(place(root)):
        if run.state == "done" and not run.earlier:
            return runs.with_files(run)
    if or_start is None:
        raise RunError(
            f"no run has ended under {place(root).path} yet: start one with "
            'last_run(or_start="fast"), which takes a minute or two, or with `make run`'
        )
    return run_pipeline(or_start, root=root)


def run_pipeline(preset: str | None = None, *, root: Path | None = None, **values: Any) -> Run:
    """Runs the whole pipeline on this machine, as ``fashion-mnist run`` does.

    The preset is a set of hyperparameters to start from: ``tutorial``, ``fast`` or ``best``.

    Raises:
        UsageError: The pipeline has no such parameter, or a value is wrong.
        StepFailed: A step failed.
    """
    spec = specs.load(local.DEFAULT_SPEC)
    given = {**values, "source": local.check_source(values.get("source", ""))}
    arguments = parameters.resolve(spec, given, preset=preset, own=own_parameters())
    check_compiled()
    done = local.run(spec, arguments, place(root), watch)
    return runs.with_files(Run.read(done.directory))


def own_parameters() -> dict[str, Any]:
    """Parameters that belong to this machine and checkout."""
    return {"bucket_uri": local.BUCKET_URI, "git_revision": git_revision()}


def check_compiled() -> None:
    """Accepts committed files that are up to date; repeats the check after each edit.

    The check is another process: this one keeps the modules it has imported.

    Raises:
        UsageError: A file is stale; the message has a short diff.
    """
    folders = [PROJECT / "components", PROJECT / "pipeline", COMPILED]
    files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix != ".pyc"]
    edited = max(path.stat().st_mtime_ns for path in files)
    if edited in _checked:
        return
    print("checking that compiled/ is up to date")  # noqa: T201 - a cell's own output
    command = [sys.executable, "-m", "pipeline", "compile", "--check"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))
    _checked.add(edited)


class LineWatcher:
    """Shows a run below the cell: plain lines, and progress that the next line replaces."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.width = 0

    def started(self, task: Task) -> None:
        """Writes that a step starts."""
        self._write(f"{task.title}: started")

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Writes a line of the step's own."""
        del task
        self._write(f"  {line}", end="\r" if transient else "\n")

    def ended(self, task: Task) -> None:
        """Writes how a step ended."""
        self._write(f"{task.title}: {task.outcome}")

    def _write(self, text: str, end: str = "\n") -> None:
        # Blanks cover the rest of a longer progress line.
        self.stream.write(f"{text:<{self.width}}{end}")
        self.stream.flush()
        self.width = len(text) if end == "\r" else 0


@contextlib.contextmanager
def watch(_rows: list[Task]) -> Iterator[LineWatcher]:
    """Shows a run below the cell while the block lasts."""
    yield LineWatcher(sys.stdout)
