"""The command that asks a model about photos."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.bar import Bar
from rich.color import Color
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pipeline.cli.commands import show
from pipeline.cli.console import console, is_plain, print_json, say_aside, styled, waiting
from pipeline.cli.options import ROOT, AsJson, RootFolder, named, option, read_from, write_to
from pipeline.text import printable

if TYPE_CHECKING:
    from pipeline.photos.predictions import Photo, Ranking

BAR: Final = 24
"""Characters of a probability of 1."""
GAP: Final = 3
"""Characters between a picture and the names next to it."""
COLOURS: Final = ("256", "truecolor")
"""Colour systems with enough greys for a picture."""
UNSURE: Final = 0.5
ADVICE: Final = "not sure: it expects one piece of clothing, whole, upright, on a plain background"


def predict(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="Image files; `-` is standard input.")
    ],
    version: Annotated[
        str | None, option("Version or alias in the registry, or NAME@VERSION; else `default`.")
    ] = None,
    run: Annotated[
        str | None,
        option("The model of a run: its id, a part of it, or `last`.", parser=named("--run")),
    ] = None,
    model: Annotated[
        Path | None, option("Directory of a SavedModel.", parser=read_from("--model"))
    ] = None,
    root: RootFolder = ROOT,
    top: Annotated[int, option("How many classes to name.", min=1)] = 3,
    save: Annotated[
        Path | None,
        option("Directory to write what the network saw to, as PNG.", parser=write_to("--save")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model what is in a photo.

    Each photo is prepared as FashionMNIST's makers prepared theirs: trimmed, scaled to 28 pixels,
    centred, converted to grey, on black. Any size, colour and plain background will do. PNG,
    JPEG, GIF, BMP, TIFF, WebP or AVIF, up to 50 MiB and 50 million pixels.

    Examples:
        predict boot.jpg shirt.png  # asks the champion about two photos
        predict --run last boot.jpg  # asks the model of the newest training
        predict --save seen boot.jpg  # also writes what the network saw to `seen/boot.png`
        predict --json - < boot.jpg  # from standard input, for a program
    """
    from pipeline.photos import predictions
    from pipeline.runs.chosen_model import choose

    chosen = choose(root, version, run, model)
    facts: dict[str, dict[str, Any]] = {file: {"file": file} for file in photos}
    readable = _readable(facts)
    if readable:
        with waiting(f"loading TensorFlow and {chosen.title}"):
            rankings = predictions.predict(readable, chosen, top)
        for photo, ranking in zip(readable, rankings, strict=True):
            facts[photo.file] |= _as_json(photo, ranking) | {"model": chosen.as_json()}
            if not as_json:
                show_prediction(photo, ranking, console())
        if not as_json:
            aside = console(sys.stderr)
            aside.print(f"asked {chosen.title}", style="dim")
    if as_json:
        print_json(list(facts.values()))
    if readable and save:
        written = predictions.save(readable, save)
        say_aside(f"What the network saw is in {', '.join(map(printable, written))}")
    if len(readable) < len(facts):
        raise typer.Exit(1)


def _readable(facts: dict[str, dict[str, Any]]) -> "list[Photo]":
    """The photos that can be read; ``facts`` gets why the others cannot."""
    from pipeline.photos.decoding import PhotoError
    from pipeline.photos.predictions import read

    photos = []
    for file, about in facts.items():
        try:
            photos.append(read(file))
        except PhotoError as error:
            about["error"] = str(error)
            show(PhotoError(f"{printable(file)}: {error}"))
    return photos


def _as_json(photo: "Photo", ranking: "Ranking") -> dict[str, Any]:
    answers = [
        {"class": one.name, "class_id": one.class_id, "probability": one.probability}
        for one in ranking
    ]
    return {"sha256": photo.sha256, "predictions": answers}


def show_prediction(photo: "Photo", ranking: "Ranking", console: Console) -> None:
    """Prints a prediction: with a picture on a terminal with colours, elsewhere in one line."""
    file = printable(photo.file)
    if not console.is_terminal or is_plain(console):
        answer = ", ".join(f"{one.name} {100 * one.probability:.1f} %" for one in ranking)
        console.print(styled(printable(f"{file}: {answer}")), soft_wrap=True)
        return
    bars = Table.grid(padding=(0, 2, 0, 0))
    for place, one in enumerate(ranking):
        style, colour = ("bold", "green") if place == 0 else ("", "cyan")
        share = f"{100 * one.probability:.1f} %"
        bar = Bar(1.0, 0.0, one.probability, width=BAR, color=colour)
        bars.add_row(styled(printable(one.name), style), bar, styled(share, style))
    beside: list[RenderableType] = [bars]
    if ranking[0].probability < UNSURE:
        beside += [Text(), Text(ADVICE, style="dim")]
    colours = console.color_system in COLOURS and not console.no_color
    title = styled(file, "bold")
    if title.cell_len <= console.width - (photo.seen.shape[1] + GAP if colours else 0):
        beside = [title, Text(), *beside]
    else:
        console.print(title, soft_wrap=True)
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_row(*([_picture(photo)] if colours else []), Group(*beside))
    console.print(grid, Text())


def _picture(photo: "Photo") -> Text:
    """What the network sees, as half blocks: a character for each pixel and the one below it."""
    rows = photo.seen.tolist()
    lines = [
        Text.assemble(*(("▀", _greys(*pair)) for pair in zip(upper, lower, strict=True)))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    return Text("\n").join(lines)


def _greys(upper: int, lower: int) -> Style:
    return Style(color=Color.from_rgb(*[upper] * 3), bgcolor=Color.from_rgb(*[lower] * 3))
