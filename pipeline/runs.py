"""The runs on this machine, each by its folder: ``<root>/runs/<id>/``."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.errors import CommandError, UsageError

SUMMARY: Final = "summary.json"
"""What came out of the run; missing while it lasts."""
EVALUATION: Final = "evaluation.json"
"""The facts about its model; missing when it ended before there were any."""
REPORT: Final = "report.html"
NAMED: Final = 5
"""How many runs an error names."""


class RunError(CommandError):
    """A run that has not left what is asked for."""


def find(runs: Path, reference: str) -> Path:
    """The folder of a run.

    Args:
        runs: The folder of all runs.
        reference: An id, the start of one, any part of one, or the path of a run's folder.

    Raises:
        UsageError: It names no run, or several.
    """
    if "/" in reference and Path(reference).is_dir():
        return Path(reference)
    known = [path.name for path in _folders(runs)]
    tests: Sequence[Callable[[str], bool]] = (
        lambda name: name == reference,
        lambda name: name.startswith(reference),
        lambda name: reference in name,
    )
    found = next((names for test in tests if (names := list(filter(test, known)))), [])
    if len(found) == 1:
        return runs / found[0]
    if found:
        raise UsageError(f"{reference} is part of several runs' names: {_listed(found)}")
    if not known:
        raise UsageError(f"{reference}: {runs} holds no run; start one with `fashion-mnist run`")
    raise UsageError(f"there is no run {reference} in {runs}; there are {_listed(known)}")


def newest_evaluated(runs: Path) -> Path:
    """The folder of the newest run that got as far as an evaluation.

    Raises:
        RunError: There is none.
    """
    both = (EVALUATION, SUMMARY)
    evaluated = [path for path in _folders(runs) if all((path / name).is_file() for name in both)]
    if not evaluated:
        raise RunError(
            f"{runs} holds no run with an evaluation; start one with `fashion-mnist run`"
        )
    return max(evaluated, key=lambda path: str(summary(path)["started"]))


def summary(directory: Path) -> dict[str, Any]:
    """The content of a run's ``summary.json``.

    Raises:
        RunError: It has none: the run goes on, or was killed.
    """
    missing = f"run {directory.name} goes on, or it was killed: it has no {SUMMARY}"
    return _read(directory / SUMMARY, missing)


def evaluation(directory: Path) -> dict[str, Any]:
    """The facts about a run's model, as the step ``evaluate`` wrote them.

    Raises:
        RunError: It has none, since it ended before.
    """
    ended = summary(directory)
    stopped = "it was interrupted before" if ended["state"] == "interrupted" else ""
    why = ended["error"] or stopped or "it is of an earlier version; run again"
    return _read(directory / EVALUATION, f"run {directory.name} has no evaluation: {why}")


def _folders(runs: Path) -> list[Path]:
    return sorted(path for path in runs.glob("*") if path.is_dir())


def _read(path: Path, missing: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise RunError(missing) from error
    except ValueError as error:
        raise RunError(f"{path} is no JSON ({error}); run again") from error
    return content


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[::-1][:NAMED]) + (f" and {rest} older" if rest > 0 else "")
