"""The command that asks a model about photos."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.console import AsJson, console, print_json, say_aside, waiting
from pipeline.cli.options import ROOT, RootFolder

MODEL = "Which model"


def predict(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO", help="Image files; `-` is standard input."),
    ],
    version: Annotated[
        str | None,
        typer.Option(
            help="Version or alias in the registry, or NAME@VERSION; else the alias `default`.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            help="The model of a run: its id, a part of it, or `last`, the newest with a model.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Directory of a SavedModel.", rich_help_panel=MODEL)
    ] = None,
    root: RootFolder = ROOT,
    top: Annotated[int, typer.Option(min=1, max=10, help="How many classes to name.")] = 3,
    save: Annotated[
        Path | None, typer.Option(help="Directory to write what the network saw to, as PNG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model what is on a photo.

    A photo is made into what FashionMNIST would have made of it: trimmed, scaled to 28 pixels,
    put into the middle, grey, its ground black. Any size, colour and plain ground will do; PNG,
    JPEG, GIF, BMP, TIFF, WebP or AVIF, of at most 50 MiB and 50 million pixels.
    """
    from pipeline.photos import predictions
    from pipeline.runs.chosen_model import choose

    chosen = choose(root, version, run, model)
    files = list(dict.fromkeys(photos))
    read, unread = _read(files)
    found = _ask(read, chosen, top) if read else {}
    if save and read:
        written = predictions.save(read, save)
        say_aside(f"What the network saw is in {', '.join(map(str, written))}")
    if as_json:
        told: dict[str, Any] = {
            file: {"file": file, "error": reason} for file, reason in unread.items()
        }
        told |= {file: {**one.as_json(), "model": chosen.as_json()} for file, one in found.items()}
        print_json([told[file] for file in files])
    else:
        _show(found.values(), chosen)
    if unread:
        raise typer.Exit(1)


def _read(files: list[str]) -> tuple[list[Any], dict[str, str]]:
    """The photos that could be read, and why the others could not, which is told at once."""
    from pipeline.cli.commands import show
    from pipeline.photos.decoding import PhotoError
    from pipeline.photos.predictions import read

    photos, unread = [], {}
    for file in files:
        try:
            photos.append(read(file))
        except PhotoError as error:
            unread[file] = str(error)
            show(PhotoError(f"{file}: {error}"))
    return photos, unread


def _ask(photos: list[Any], chosen: Any, count: int) -> dict[str, Any]:
    from pipeline.photos.predictions import predict as ask

    with waiting(f"loading TensorFlow and {chosen.title}"):
        return {one.photo.file: one for one in ask(photos, chosen, count)}


def _show(found: Iterable[Any], chosen: Any) -> None:
    from pipeline.cli.prediction_view import show

    for one in found:
        show(one, console())
    if found:
        console(sys.stderr).print(
            f"asked {chosen.title}", style="dim", highlight=False, markup=False
        )
