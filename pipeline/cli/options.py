"""Options that several commands take."""

import shlex
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from components.train.trainer.hyperparameters import PRESETS
from pipeline.runs.root import DEFAULT_ROOT

WHAT: Final = "What to run"
WHERE: Final = "Where"

ROOT: Final = DEFAULT_ROOT


def option(help: str, *names: str, panel: str | None = None, **more: Any) -> Any:  # noqa: A002
    """An option with its help; ``more`` is as in ``typer.Option``."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


AsJson = Annotated[
    bool, option("Print one JSON document and nothing else to standard output.", "--json")
]
RootFolder = Annotated[Path, option("Folder of the local runs, models and data.", "--root")]
Count = Annotated[int, option("How many.", "-n", "--count", min=1)]
Parameters = Annotated[
    list[str] | None,
    option(
        "A pipeline parameter; can be repeated.",
        *("-p", "--parameter"),
        panel=WHAT,
        metavar="NAME=VALUE",
    ),
]
Preset = Annotated[
    str | None,
    option(f"Hyperparameters to start from: {', '.join(PRESETS)}. -p changes them.", panel=WHAT),
]
Spec = Annotated[Path | None, option("Compiled pipeline to use instead of compiled/.", panel=WHAT)]
NoCache = Annotated[bool, option("Run every step again.", "--no-cache", panel=WHAT)]
RequireUpload = Annotated[bool, option("Exit 3 if no version was uploaded.", "--require-upload")]
Project = Annotated[
    str | None,
    option(
        "Project id; else GOOGLE_CLOUD_PROJECT, CLOUDSDK_CORE_PROJECT or gcloud's own.",
        panel=WHERE,
        show_default=False,
    ),
]
Region = Annotated[
    str | None,
    option(
        "As europe-west4; else GOOGLE_CLOUD_REGION, CLOUDSDK_AI_REGION or gcloud's own.",
        panel=WHERE,
        show_default=False,
    ),
]
Every = Annotated[float, option("Seconds between two looks at the job.", min=0.05)]


def root_option(root: Path) -> str:
    """The option that names ``root``, with a space in front; empty for the default root."""
    return "" if root == ROOT else f" --root {shlex.quote(str(root))}"
