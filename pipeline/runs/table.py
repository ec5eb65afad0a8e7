"""The table of a run while it lasts: the tasks of its spec, shown as the pipeline's steps."""

from collections.abc import Iterable
from typing import Any

from pipeline import steps
from pipeline.errors import UsageError
from pipeline.runs.record import Task, Watcher
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec


class Unwatched:
    """Shows nothing of a run."""

    def started(self, task: Task) -> None:
        """Nobody watches."""

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Nobody watches."""

    def ended(self, task: Task) -> None:
        """Nobody watches."""


class Table:
    """The rows of a run, kept up to date from the states of the spec's tasks.

    Most steps are one task. A step that is a pipeline of its own, such as the upload, is one row
    for all of its tasks: their seconds are added and their outputs merged.

    Args:
        spec: A compiled spec.

    Attributes:
        rows: The steps by name, in run order.
        watcher: Is called for each row that starts or ends; set it before the first update.
    """

    def __init__(self, spec: Spec) -> None:
        self._row_of = specs.step_tasks(spec)
        self._parts = {name: Task(name, name) for name in self._row_of}
        self.rows = {name: Task(name, title(name)) for name in self._row_of.values()}
        self.watcher: Watcher = Unwatched()

    def row(self, task: str) -> Task | None:
        """The row of a task, by its component's name; None for one that does no work."""
        return self.rows.get(self._row_of.get(task, ""))

    def update(
        self, task: str, state: str, seconds: float = 0.0, outputs: dict[str, Any] | None = None
    ) -> None:
        """Notes a task's state, and calls the watcher if its row starts or ends.

        Args:
            task: The name of its component, without ``comp-``.
            state: As ``Task.state``.
            seconds: How long it has run.
            outputs: Its outputs, once it is done.
        """
        part = self._parts[task]
        part.state, part.seconds = state, seconds
        part.outputs = outputs or part.outputs
        self._refresh(self._row_of[task])

    def settle(self) -> None:
        """Notes that what has not started will not run."""
        for part in self._parts.values():
            if part.state == "waiting":
                part.state = "skipped"
        for name in self.rows:
            self._refresh(name)

    def _refresh(self, name: str) -> None:
        row = self.rows[name]
        parts = [part for task, part in self._parts.items() if self._row_of[task] == name]
        before, row.state = row.state, _merged(part.state for part in parts)
        row.seconds = sum(part.seconds for part in parts)
        row.outputs = {key: value for part in parts for key, value in part.outputs.items()}
        if row.state == before:
            return
        if row.state == "running":
            self.watcher.started(row)
        elif row.state in ("done", "cached", "failed", "cancelled"):
            self.watcher.ended(row)


def title(name: str) -> str:
    """What people see of a row: the step's title, or a foreign task's name in words."""
    try:
        return steps.step(name).title
    except UsageError:
        return name.replace("_", " ").capitalize()


def _merged(states: Iterable[str]) -> str:
    """The state of a row from the states of its tasks."""
    found = set(states)
    for state in ("failed", "cancelled", "running"):
        if state in found:
            return state
    ended = found & {"done", "cached"}
    if "waiting" in found:
        return "running" if ended else "waiting"
    if not ended:
        return "skipped"
    return "done" if "done" in ended else "cached"
