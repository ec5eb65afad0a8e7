"""Options of several commands that work on this machine."""

from pathlib import Path
from typing import Annotated

import typer

RootFolder = Annotated[Path, typer.Option("--root", help="Folder for all that is local.")]
ROOT = Path(".fashion-mnist")
