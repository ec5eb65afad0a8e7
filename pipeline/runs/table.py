"""The steps of a run as the rows of a table, which shows the run while it lasts."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self

from pipeline import steps
from pipeline.errors import UsageError
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec
from pipeline.text import duration


@dataclasses.dataclass(frozen=True)
class Artifact:
    """An output of a step that is a file, a directory or a resource."""

    uri: str
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = "system.Artifact"


@dataclasses.dataclass
class Task:
    """A step in a run: one row of its table.

    Attributes:
        state: ``waiting``, ``running``, ``done``, ``cached``, ``failed``, ``cancelled`` or
            ``skipped``.
        seconds: Wall time; of a running step the time so far, when its watcher was called.
        outputs: Artifacts (with ``uri`` and ``metadata``) and values by name.
    """

    name: str
    title: str
    state: str = "waiting"
    seconds: float = 0.0
    outputs: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def figure(self) -> str:
        """The figure that people see once the step is done; empty without one."""
        try:
            return steps.step(self.name).figure(self.outputs) if self.outputs else ""
        except (UsageError, KeyError, TypeError, ValueError):
            # A foreign task; incomplete metadata of Vertex AI; outputs of an earlier version.
            return ""

    @property
    def outcome(self) -> str:
        """How the step ended: ``done in 12.3 s: 60,000 + 10,000 images, verified``."""
        ended = f"{self.state} in {duration(self.seconds)}"
        text = "from the cache" if self.state == "cached" else ended
        return f"{text}: {self.figure}" if self.figure else text

    def as_json(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {
            "name": self.name,
            "display_name": self.title,
            "state": self.state,
            "seconds": round(self.seconds, 3),
            "figure": self.figure,
            "outputs": {name: _output_as_json(value) for name, value in self.outputs.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The step that ``as_json`` described."""
        return cls(
            name=values["name"].replace("-", "_"),
            title=values["display_name"],
            state=values["state"],
            seconds=values["seconds"],
            outputs={name: _output(value) for name, value in values["outputs"].items()},
        )


class Watcher(Protocol):
    """Shows a run while it lasts."""

    def started(self, task: Task) -> None:
        """A step starts."""

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """A step wrote a line; the next line replaces a transient one."""

    def ended(self, task: Task) -> None:
        """A step is done, cached, failed or cancelled."""


Watch = Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]]
"""Opens what shows a run while it lasts, from its rows."""


class Unwatched:
    """Shows nothing of a run."""

    def started(self, *_: Any, **__: Any) -> None:
        """Nobody watches."""

    said = ended = started


class Table:
    """The rows of a run, kept up to date from the states of the spec's tasks.

    Most steps are one task. A step that is a pipeline of its own, such as the upload, is one row
    for all of its tasks: their seconds are added and their outputs merged.

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
        """Notes the state of a task, whose component's name is given without ``comp-``."""
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


def _output_as_json(value: Any) -> Any:
    if not hasattr(value, "uri"):
        return value
    kind = value.kind if isinstance(value, Artifact) else value.schema_title
    return {"type": kind, "uri": value.uri, "metadata": value.metadata}


def _output(value: Any) -> Any:
    if isinstance(value, dict) and {"uri", "metadata", "type"} <= value.keys():
        return Artifact(value["uri"], dict(value["metadata"]), value["type"])
    return value
