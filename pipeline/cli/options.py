"""Options that several commands take."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from components.dataset.places import PlaceError, local_path
from components.train.trainer.hyperparameters import PRESETS
from pipeline.errors import UsageError
from pipeline.runs.root import DEFAULT_ROOT, VARIABLE, default_root

WHAT: Final = "What to run"
WHERE: Final = "Where"

ROOT: Final[Any] = default_root
"""The default of ``RootFolder``, for each call of its own."""


def option(help: str, *names: str, panel: str | None = None, **more: Any) -> Any:  # noqa: A002
    """An option with its help; ``more`` is as in ``typer.Option``."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


def read_from(name: str) -> Callable[[str], Path]:
    """The parser of an option or argument that names what to read on this machine."""
    return lambda place: _path(name, place, "copy it here: `gcloud storage cp -r {} .`")


def named(name: str) -> Callable[[str], str]:
    """The parser of an option or argument that takes a name, or a path as ``read_from`` does."""
    parse = read_from(name)
    return lambda text: str(parse(text)) if ":/" in text or not text else text


def write_to(name: str) -> Callable[[str], Path]:
    """The parser of an option that names where to write on this machine."""
    cure = "give a path, and copy it from there: `gcloud storage cp -r PATH {}`"
    return lambda place: _path(name, place, cure)


def _path(name: str, place: str, cure: str) -> Path:
    if not place:
        raise UsageError(f"{name} is empty; give a value, or leave it out")
    try:
        path = local_path(str(place))
    except PlaceError as error:
        raise UsageError(
            f"{name}: give a path on this machine, not an address that starts with {error.start}"
        ) from error
    if path is None:
        raise UsageError(f"{name} {place} is in a bucket; {cure.format(shlex.quote(place))}")
    return path


AsJson = Annotated[
    bool, option("Print one JSON document and nothing else to standard output.", "--json")
]
RootFolder = Annotated[
    Path,
    option(
        f"Folder of the local runs, models and data; else {VARIABLE}.",
        "--root",
        parser=lambda place: _path("--root", place, "give a folder on this machine"),
        show_default=f"{DEFAULT_ROOT} in the project",
    ),
]
AskedVersion = Annotated[
    str | None, option("Version or alias in the registry, or NAME@VERSION; else `default`.")
]
AskedRun = Annotated[
    str | None,
    option("The model of a run: its id, a part of it, or `last`.", parser=named("--run")),
]
AskedModel = Annotated[
    str | None,
    option(
        "Directory of a SavedModel, or NAME[@VERSION] in the registry.",
        parser=named("--model"),
        metavar="DIR|NAME",
    ),
]
Count = Annotated[int, option("How many.", "-n", "--count", min=1)]


def _beginnings(incomplete: str) -> list[str]:
    """What a shell offers after ``-p``."""
    from pipeline import compiler
    from pipeline.specs.parameters import describe
    from pipeline.specs.spec import load

    known = describe(load(compiler.COMPILED / compiler.PIPELINE))
    return [f"{one.name}=" for one in known if one.name.startswith(incomplete)]


Parameters = Annotated[
    list[str] | None,
    option(
        "A pipeline parameter; can be repeated.",
        *("-p", "--parameter"),
        panel=WHAT,
        metavar="NAME=VALUE",
        autocompletion=_beginnings,
    ),
]
Preset = Annotated[
    str | None,
    option(
        f"Hyperparameters to start from: {', '.join(PRESETS)}. -p changes them.",
        panel=WHAT,
        autocompletion=lambda incomplete: [one for one in PRESETS if one.startswith(incomplete)],
    ),
]
Spec = Annotated[
    Path | None,
    option(
        "Compiled pipeline to use instead of compiled/.", panel=WHAT, parser=read_from("--spec")
    ),
]
Dataset = Annotated[
    Path | None,
    option(
        "Description of the data; else the dataset.json beside the files, else FashionMNIST.",
        panel=WHAT,
        parser=read_from("--dataset"),
        metavar="FILE.json",
    ),
]
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
Every = Annotated[float, option("Seconds between two checks.", min=0.05)]


def root_option(root: Path) -> str:
    """The option that names ``root``, with a space in front; empty for the default root."""
    return "" if root == default_root() else f" --root {shlex.quote(str(root))}"
