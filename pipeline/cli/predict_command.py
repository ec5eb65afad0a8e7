"""The command that asks a model about photos."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.color import Color
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pipeline.cli.commands import show
from pipeline.cli.console import console, print_json, say_aside, waiting
from pipeline.cli.options import ROOT, AsJson, RootFolder

if TYPE_CHECKING:
    from pipeline.photos.predictions import Photo, Ranking

BAR: Final = 24
"""Characters of a probability of 1."""
EIGHTHS: Final = " ▏▎▍▌▋▊▉"
COLOURS: Final = ("256", "truecolor")
"""Colour systems with enough greys for a picture."""
UNSURE: Final = 0.5
"""Probability below which a prediction is called unsure."""
ADVICE: Final = "not sure: it expects one piece of clothing, whole, upright, on a plain background"


def predict(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="Image files; `-` is standard input.")
    ],
    version: Annotated[
        str | None,
        typer.Option(help="Version or alias in the registry, or NAME@VERSION; else `default`."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="The model of a run: its id, a part of it, or `last`."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Directory of a SavedModel.")] = None,
    root: RootFolder = ROOT,
    top: Annotated[int, typer.Option(min=1, max=10, help="How many classes to name.")] = 3,
    save: Annotated[
        Path | None, typer.Option(help="Directory to write what the network saw to, as PNG.")
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
    files = list(dict.fromkeys(photos))
    readable, facts = _read(files)
    if readable:
        with waiting(f"loading TensorFlow and {chosen.title}"):
            rankings = predictions.predict(readable, chosen, top)
        if save:
            written = predictions.save(readable, save)
            say_aside(f"What the network saw is in {', '.join(map(str, written))}")
        for photo, ranking in zip(readable, rankings, strict=True):
            facts[photo.file] = _as_json(photo, ranking) | {"model": chosen.as_json()}
            if not as_json:
                show_prediction(photo, ranking, console())
        if not as_json:
            aside = console(sys.stderr)
            aside.print(f"asked {chosen.title}", style="dim", highlight=False, markup=False)
    if as_json:
        print_json([facts[file] for file in files])
    if len(readable) < len(files):
        raise typer.Exit(1)


def _read(files: list[str]) -> "tuple[list[Photo], dict[str, dict[str, Any]]]":
    """The photos that can be read, and JSON values that say why the others cannot."""
    from pipeline.photos.decoding import PhotoError
    from pipeline.photos.predictions import read

    photos, unreadable = [], {}
    for file in files:
        try:
            photos.append(read(file))
        except PhotoError as error:
            unreadable[file] = {"file": file, "error": str(error)}
            show(PhotoError(f"{file}: {error}"))
    return photos, unreadable


def _as_json(photo: "Photo", ranking: "Ranking") -> dict[str, Any]:
    from components.dataset.facts import CLASS_NAMES

    return {
        "file": photo.file,
        "sha256": photo.sha256,
        "predictions": [
            {"class": name, "class_id": CLASS_NAMES.index(name), "probability": probability}
            for name, probability in ranking
        ],
    }


def show_prediction(photo: "Photo", ranking: "Ranking", console: Console) -> None:
    """Prints a prediction: with a picture on a terminal with colours, elsewhere in one line."""
    if not console.is_terminal:
        answer = ", ".join(f"{name} {_percent(share)}" for name, share in ranking)
        line = f"{photo.file}: {answer}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
        return
    beside: list[RenderableType] = [Text(photo.file, style="bold"), Text(), _bars(ranking)]
    if ranking[0][1] < UNSURE:
        beside += [Text(), Text(ADVICE, style="dim")]
    colours = console.color_system in COLOURS and not console.no_color
    grid = Table.grid(padding=(0, 3, 0, 0))
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


def _bars(ranking: "Ranking") -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for place, (name, share) in enumerate(ranking):
        style = "bold" if place == 0 else ""
        full, eighths = divmod(round(share * BAR * 8), 8)
        bar = ("█" * full + EIGHTHS[eighths]).ljust(BAR)
        table.add_row(
            Text(name, style=style),
            Text(bar, style="green" if place == 0 else "cyan"),
            Text(_percent(share), style=style),
        )
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
