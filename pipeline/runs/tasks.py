"""The tasks of a run, who is told of them, and where they live."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pipeline.local.cache import StepCache


@dataclasses.dataclass
class Task:
    """A task of a run: one row of its table.

    Attributes:
        name: Its component's name, and that of its folder under ``steps/``.
        display_name: What the definition calls it.
        state: ``waiting``, ``running``, ``done``, ``cached``, ``failed``, ``cancelled`` or
            ``skipped``.
        seconds: Wall time from start to end; of a running task what had passed when it was told
            of.
        outputs: Artifacts and parameters by name, once it is done.
    """

    name: str
    display_name: str
    state: str = "waiting"
    seconds: float = 0.0
    outputs: dict[str, Any] = dataclasses.field(default_factory=dict)


class Watcher(Protocol):
    """What is told of a run while it lasts."""

    def started(self, task: Task) -> None:
        """A task begins."""

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """A task wrote a line; a transient one is progress that the next line replaces."""

    def ended(self, task: Task) -> None:
        """A task ended: done, cached or failed."""


@dataclasses.dataclass(frozen=True)
class Workplace:
    """Where the tasks of a run live.

    Attributes:
        run_directory: ``runs/<id>``; the tasks' folders are made under its ``steps/``.
        cache: What earlier runs made; None: nothing is looked for, nothing kept.
        scratch: Working directory and ``TMPDIR`` of every task.
        environment: Environment of every task.
        hermetic: Whether each task gets an environment of its own, with its own pins alone.
        at_home: Names of the tasks that run in this environment even so.
    """

    run_directory: Path
    cache: "StepCache | None"
    scratch: Path
    environment: Mapping[str, str]
    hermetic: bool = False
    at_home: frozenset[str] = frozenset()
