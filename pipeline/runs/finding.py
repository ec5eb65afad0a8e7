"""Finds runs on this machine by their folders, ``<root>/runs/<id>/``."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pipeline.errors import UsageError
from pipeline.runs.record import Run, RunError
from pipeline.runs.root import Root
from pipeline.text import command, printable

LAST: Final = "last"
NAMED: Final = 5
"""How many runs an error lists."""


def listed(root: Root) -> list[Run]:
    """All runs of a root, the newest first."""
    found = [Run.read(path) for path in root.runs.glob("*") if path.is_dir()]
    long_ago = datetime.datetime.min.replace(tzinfo=datetime.UTC)
    return sorted(found, key=lambda run: (run.started or long_ago, run.id), reverse=True)


def find(root: Root, reference: str) -> Run:
    """The run of an id, the start or a part of one, ``last``, or the path of a run's folder.

    Raises:
        UsageError: It matches no run, or several.
    """
    if "/" in reference and Path(reference).is_dir():
        return Run.read(Path(reference))
    named = printable(reference)
    known = listed(root)
    if not known:
        raise UsageError(f"{named}: {root.runs} holds no run; start one with `{command('run')}`")
    if reference == LAST:
        return known[0]
    whole = [run for run in known if run.id == reference]
    start = [run for run in known if run.id.startswith(reference)]
    meant = whole or start or [run for run in known if reference in run.id]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"{named} is part of several runs' names: {_names(meant)}")
    raise UsageError(f"there is no run {named} in {root.runs}; there are {_names(known)}")


def newest(root: Root, what: str, has: Callable[[Run], object]) -> Run:
    """The newest run that has something; ``what`` names it: ``an evaluation``.

    Raises:
        RunError: There is none.
    """
    for run in listed(root):
        if has(run):
            return run
    raise RunError(f"{root.runs} holds no run with {what}; start one with `{command('run')}`")


def _names(runs: Sequence[Run]) -> str:
    rest = len(runs) - NAMED
    return ", ".join(run.id for run in runs[:NAMED]) + (f" and {rest} older" if rest > 0 else "")
