"""Options that several commands take."""

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline.runs.root import DEFAULT_ROOT

WHAT: Final = "What to run"

ROOT: Final = DEFAULT_ROOT

AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document and nothing else to standard output."),
]
RootFolder = Annotated[
    Path, typer.Option("--root", help="Folder of the local runs, models and data.")
]
Count = Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        help="A pipeline parameter; can be repeated.",
        rich_help_panel=WHAT,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        help="Hyperparameters to start from: tutorial, fast or best. -p changes them.",
        rich_help_panel=WHAT,
    ),
]
Spec = Annotated[
    Path | None,
    typer.Option(help="Compiled pipeline to use instead of compiled/.", rich_help_panel=WHAT),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Run every step again.", rich_help_panel=WHAT)
]
RequireUpload = Annotated[
    bool, typer.Option("--require-upload", help="Exit 3 if no version was uploaded.")
]


def root_option(root: Path) -> str:
    """The option that names ``root``, with a space in front; empty for the default root."""
    return "" if root == ROOT else f" --root {shlex.quote(str(root))}"
