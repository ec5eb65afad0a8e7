"""The commands about earlier runs and their reports."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import print_json, print_list, say, say_aside
from pipeline.cli.options import (
    ROOT,
    AsJson,
    Count,
    RootFolder,
    named,
    option,
    root_option,
    write_to,
)
from pipeline.runs.root import Root
from pipeline.text import accuracy, age, command, duration, printable, shown


def runs(
    root: RootFolder = ROOT,
    count: Count = 20,
    prune: Annotated[
        bool, option("Remove old runs, and say how much space that frees.", "--prune")
    ] = False,
    keep: Annotated[
        int, option("With --prune: how many of the successful runs to keep.", min=0)
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """List the runs on this machine, the newest first, or remove old ones.

    `--prune` keeps the newest successful runs, what came after them, and the runs whose outputs
    they use. Models in the registry stay; `models --delete` removes one.

    Examples:
        runs  # the newest 20
        runs --count 1 --json  # the newest one, for a program
        runs --prune --keep 1  # removes all runs before the newest that succeeded
    """
    from pipeline.runs.finding import listed

    if prune:
        _prune(Root(root), keep, as_json)
        return
    found = listed(Root(root))[:count]
    rows = [
        (
            run.id,
            run.state,
            accuracy(run.accuracy),
            run.version,
            age(run.started),
            duration(run.seconds) if run.seconds else "",
        )
        for run in found
    ]
    print_list(
        as_json,
        [run.as_line() for run in found],
        ("Run", "State", "Accuracy", "Version", "Age", "Time"),
        rows,
        nothing=f"no runs in {root}: `{command(f'run{root_option(root)}')}` makes one",
        then={command(f"predict --run RUN PHOTO{root_option(root)}"): "asks its model"},
    )


def _prune(root: Root, keep: int, as_json: bool) -> None:
    from rich.filesize import decimal

    from pipeline.local.emulator import alone
    from pipeline.runs.pruning import prune

    with alone(root.bucket):
        removed = prune(root, keep)
    freed = sum(size for _run, size in removed)
    if as_json:
        print_json({"removed": [run.id for run, _size in removed], "bytes": freed})
    else:
        say(f"removed {len(removed)} run{'s' * (len(removed) != 1)}, freed {decimal(freed)}")


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="A run's id, a unique part of it, or its folder; else the newest run.",
            show_default=False,
            parser=named("RUN"),
        ),
    ] = None,
    root: RootFolder = ROOT,
    output: Annotated[
        Path | None,
        option(
            "File to write instead of `report.html` in the run's folder.",
            parser=write_to("--output"),
        ),
    ] = None,
    show: Annotated[
        bool | None,
        option(
            "Open it in the browser; by default only on a terminal with a display.",
            "--open/--no-open",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild the report of a run and open it.

    The report is one self-contained file to send to a colleague: the verdict and its reason,
    learning curves, mistakes, calibration, parameters, and where the model is. With `--json` it
    prints what the report is about and opens nothing.

    Examples:
        report  # the report of the newest run, in the browser
        report ab12 --output report.html  # another run's report, to send to somebody
    """
    import webbrowser

    from pipeline.runs.finding import find, newest
    from pipeline.runs.report import rebuild

    place = Root(root)
    meant = find(place, run) if run else newest(place, "an evaluation", lambda one: one.evaluated)
    page = rebuild(meant, output).resolve()
    if as_json:
        record = meant.as_json()
        about = {name: record[name] for name in ("run", "state", "metrics", "verdict", "model")}
        print_json({**about, "report": str(page)})
    else:
        say(printable(shown(page)))
    wanted = has_display() and not as_json if show is None else show
    if wanted and not webbrowser.open(page.as_uri()):
        say_aside("no browser was found; open the file in one")


def has_display() -> bool:
    """Whether there is a person at a terminal who can see a browser."""
    headless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return sys.stdout.isatty() and not headless
