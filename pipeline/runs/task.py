"""A step in a run: one row of its table."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, Self

from pipeline import steps
from pipeline.text import duration


@dataclasses.dataclass(frozen=True)
class Artifact:
    """An output of a step that is a file, a directory or a resource.

    Attributes:
        uri: Where it is.
        metadata: What the step recorded about it.
        kind: Its type, such as ``system.Model``.
    """

    uri: str
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = "system.Artifact"


@dataclasses.dataclass
class Task:
    """A step in a run: one row of its table.

    Attributes:
        name: The step's name, with underscores.
        title: What people see.
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
            return steps.figure(self.name, self.outputs) if self.outputs else ""
        except (KeyError, TypeError, ValueError):
            # Vertex AI's metadata may be incomplete, and outputs may be of an earlier version.
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


def _output_as_json(value: Any) -> Any:
    if not hasattr(value, "uri"):
        return value
    kind = value.kind if isinstance(value, Artifact) else value.schema_title
    return {"type": kind, "uri": value.uri, "metadata": value.metadata}


def _output(value: Any) -> Any:
    if isinstance(value, dict) and {"uri", "metadata", "type"} <= value.keys():
        return Artifact(value["uri"], dict(value["metadata"]), value["type"])
    return value
