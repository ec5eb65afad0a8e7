"""Options of several commands that work on this machine."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

RootFolder = Annotated[Path, typer.Option("--root", help="Folder for all that is local.")]
ROOT = Path(".fashion-mnist")


def root_option(root: Path) -> str:
    """The option to be typed again for another root, with a space in front; else nothing."""
    return "" if root == ROOT else f" --root {shlex.quote(str(root))}"
