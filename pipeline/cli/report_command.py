"""The command that makes the page of a run anew and opens it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import AsJson, print_json, say, say_aside
from pipeline.cli.options import ROOT, RootFolder


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A run's id, a part of it that no other has, or its folder; else the newest.",
            show_default=False,
        ),
    ] = None,
    root: RootFolder = ROOT,
    output: Annotated[
        Path | None,
        typer.Option(help="File to write, instead of `report.html` in the run's folder."),
    ] = None,
    show: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open",
            help="Open it in the browser; else only on a terminal with a display.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the page of a run anew, and open it.

    One file without links to elsewhere, to send to a colleague: the verdict and why, learning
    curves, mistakes, calibration, parameters, and where the model is. With `--json` it says what
    it is about and opens nothing.
    """
    import webbrowser

    from pipeline.paths import shown
    from pipeline.runs.finding import find, newest
    from pipeline.runs.report import rebuild
    from pipeline.runs.root import Root

    folder = Root(root.resolve())
    meant = find(folder, run) if run else newest(folder, "an evaluation", lambda run: run.evaluated)
    page = rebuild(meant, output).resolve()
    if as_json:
        told = meant.as_json()
        about = {name: told[name] for name in ("run", "state", "metrics", "verdict", "model")}
        print_json({**about, "report": str(page)})
    else:
        say(shown(page))
    if (show or (show is None and not as_json and has_display())) and not webbrowser.open(
        page.as_uri()
    ):
        say_aside("no browser was found; open the file in one")


def has_display() -> bool:
    """Whether somebody sits here to whom a browser can show something."""
    headless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return sys.stdout.isatty() and not headless
