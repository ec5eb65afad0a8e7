"""The runs on this machine, each by its folder: ``<root>/runs/<id>/``."""

import dataclasses
import datetime
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.errors import CommandError, UsageError
from pipeline.program import command

LAST: Final = "last"
"""Stands for the newest run."""
SUMMARY: Final = "summary.json"
"""What came out of the run; missing while it lasts."""
EVALUATION: Final = "evaluation.json"
"""The facts about its model; missing when it ended before there were any."""
REPORT: Final = "report.html"
NAMED: Final = 5
"""How many runs an error names."""
UNFINISHED: Final = "unfinished"
"""State of a run that has no summary: it goes on, or it was killed."""
DAMAGED: Final = "damaged"
"""State of a run whose summary cannot be read."""


class RunError(CommandError):
    """A run that has not left what is asked for."""


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
        reference: An id, the start of one, any part of one, ``last``, or the path of a run's
            folder.

    Raises:
        UsageError: It names no run, or several.
    """
    if "/" in reference and Path(reference).is_dir():
        return _read(Path(reference))
    known = listed(runs)
    if not known:
        raise UsageError(f"{reference}: {runs} holds no run; start one with `{command('run')}`")
    if reference == LAST:
        return known[0]
    tests: Sequence[Callable[[str], bool]] = (
        lambda name: name == reference,
        lambda name: name.startswith(reference),
        lambda name: reference in name,
    )
    named = ([run for run in known if test(run.id)] for test in tests)
    meant = next(filter(None, named), [])
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"{reference} is part of several runs' names: {_names(meant)}")
    raise UsageError(f"there is no run {reference} in {runs}; there are {_names(known)}")


def newest_evaluated(runs: Path) -> LocalRun:
    """The newest run that got as far as an evaluation.

    Raises:
        RunError: There is none.
    """
    for run in listed(runs):
        if run.summary and (run.directory / EVALUATION).is_file():
            return run
    raise RunError(f"{runs} holds no run with an evaluation; start one with `{command('run')}`")


def newest_trained(runs: Path) -> LocalRun:
    """The newest run that left a model; a rerun of another step leaves none.

    Raises:
        UsageError: There is no run at all.
        RunError: None of them left a model.
    """
    find(runs, LAST)
    for run in listed(runs):
        if trained_model(run) is not None:
            return run
    raise RunError(f"no run in {runs} left a model; start one with `{command('run')}`")


def summary(directory: Path) -> dict[str, Any]:
    """The content of a run's ``summary.json``.

    Raises:
        RunError: It has none: the run goes on, or was killed.
    """
    missing = (
        f"run {directory.name} has no {SUMMARY}: it goes on, or it was killed; wait for its end, "
        f"or run again: `{command('run')}` takes from the cache what was done"
    )
    return _read_json(directory / SUMMARY, missing)


def evaluation(directory: Path) -> dict[str, Any]:
    """The facts about a run's model, as the step ``evaluate`` wrote them.

    Raises:
        RunError: It has none, since it ended before.
    """
    ended = summary(directory)
    stopped = "it was interrupted before" if ended["state"] == "interrupted" else ""
    why = ended["error"] or stopped or "it is of an earlier version; run again"
    return _read_json(directory / EVALUATION, f"run {directory.name} has no evaluation: {why}")


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


def _read_json(path: Path, missing: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise RunError(missing) from error
    except ValueError as error:
        raise RunError(f"{path} is no JSON ({error}); run again") from error
    return content


def _names(runs: Sequence[LocalRun]) -> str:
    rest = len(runs) - NAMED
    return ", ".join(run.id for run in runs[:NAMED]) + (f" and {rest} older" if rest > 0 else "")
