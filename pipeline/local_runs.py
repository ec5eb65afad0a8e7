"""The runs on this machine, as their ``summary.json`` tells of them."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any, Final

from pipeline.errors import UsageError

LAST: Final = "last"
"""Stands for the newest run."""
SUMMARY: Final = "summary.json"
UNFINISHED: Final = "unfinished"
"""State of a run that has no summary: it goes on, or it was killed."""
DAMAGED: Final = "damaged"
"""State of a run whose summary cannot be read."""


@dataclasses.dataclass(frozen=True)
class LocalRun:
    """A run on this machine.

    Attributes:
        id: Its name, and that of its folder.
        directory: Its folder.
        state: ``done``, ``failed``, ``interrupted``, ``unfinished`` or ``damaged``.
        started: When it began; None when it is not known.
        seconds: How long it took.
        accuracy: Of its model on the test set; None before there was one.
        model: Name of the model in the registry; empty when it is not known.
        version: The version that it uploaded; empty when it uploaded none.
        summary: The content of its summary; empty without one.
    """

    id: str
    directory: Path
    state: str
    started: datetime.datetime | None = None
    seconds: float = 0.0
    accuracy: float | None = None
    model: str = ""
    version: str = ""
    summary: dict[str, Any] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All but the whole summary, as JSON values."""
        return {
            "run": self.id,
            "state": self.state,
            "started": self.started.isoformat(timespec="seconds") if self.started else None,
            "seconds": self.seconds,
            "accuracy": self.accuracy,
            "model": self.model,
            "version": self.version,
            "directory": str(self.directory),
        }


def listed(runs: Path) -> list[LocalRun]:
    """All runs under a folder, the newest first."""
    folders = [path for path in runs.glob("*") if path.is_dir()]
    found = [_read(folder) for folder in folders]
    long_ago = datetime.datetime.min.replace(tzinfo=datetime.UTC)
    return sorted(found, key=lambda run: (run.started or long_ago, run.id), reverse=True)


def find(runs: Path, reference: str) -> LocalRun:
    """The run that is meant.

    Args:
        runs: The folder of all runs.
        reference: An id, the beginning or end of one, or ``last``.

    Raises:
        UsageError: There is none, or there are several.
    """
    known = listed(runs)
    if not known:
        raise UsageError(f"there are no runs in {runs}: `fashion-mnist run` makes one")
    if reference == LAST:
        return known[0]
    meant = [run for run in known if run.id == reference]
    meant = meant or [
        run for run in known if run.id.startswith(reference) or run.id.endswith(reference)
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"{reference} is part of {len(meant)} runs' names; give more of it")
    raise UsageError(f"there is no run {reference} in {runs}; `fashion-mnist runs` lists them")


def trained_model(run: LocalRun) -> Path | None:
    """The SavedModel that a run's training left; None when it left none.

    It lies in an earlier run's folder when the training was answered from the cache.
    """
    for step in run.summary.get("steps", ()):
        if step["name"] == "train" and "model" in step["outputs"]:
            path = Path(step["outputs"]["model"]["uri"])
            return path if path.is_dir() else None
    return None


def _read(directory: Path) -> LocalRun:
    try:
        return _from(directory, json.loads((directory / SUMMARY).read_text()))
    except FileNotFoundError:
        return LocalRun(directory.name, directory, UNFINISHED, _began(directory.name))
    except (ValueError, LookupError, TypeError, AttributeError):
        return LocalRun(directory.name, directory, DAMAGED, _began(directory.name))


def _began(run_id: str) -> datetime.datetime | None:
    """When a run began, from its name."""
    try:
        moment = "".join(run_id.split("-")[-3:-1])
        return datetime.datetime.strptime(f"{moment}Z", "%Y%m%d%H%M%S%z")
    except ValueError:
        return None


def _from(directory: Path, summary: dict[str, Any]) -> LocalRun:
    return LocalRun(
        id=summary["run"],
        directory=directory,
        state=summary["state"],
        started=datetime.datetime.fromisoformat(summary["started"]),
        seconds=summary["seconds"],
        accuracy=summary["metrics"].get("accuracy"),
        model=summary["model"]["name"] or "",
        version=summary["model"]["version"],
        summary=summary,
    )
