"""How a terminal shows a photo and the answer to it."""

from typing import Final

from rich.bar import Bar
from rich.color import Color
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from components.dataset.facts import IMAGE_WIDTH
from pipeline.cli.console import is_plain, styled
from pipeline.photos.predictions import Photo
from pipeline.text import printable
from serving.labels import EXPECTED

BAR: Final = 24
"""Characters of a probability of 1."""
GAP: Final = 3
"""Characters between a picture and the names next to it."""
COLOURS: Final = ("256", "truecolor")
"""Colour systems with enough greys for a picture."""
ADVICE: Final = f"not sure: it expects {EXPECTED}"


def show_prediction(photo: Photo, console: Console) -> None:
    """Prints a prediction: with a picture on a terminal with colours, elsewhere in one line."""
    file = printable(photo.file)
    if not console.is_terminal or is_plain(console):
        answer = ", ".join(f"{one.name} {100 * one.probability:.1f} %" for one in photo.ranking)
        answer += "" if photo.is_sure else " (not sure)"
        console.print(styled(printable(f"{file}: {answer}")), soft_wrap=True)
        return
    bars = Table.grid(padding=(0, 2, 0, 0))
    for place, one in enumerate(photo.ranking):
        style, colour = ("bold", "green") if place == 0 else ("", "cyan")
        share = f"{100 * one.probability:.1f} %"
        bar = Bar(1.0, 0.0, one.probability, width=BAR, color=colour)
        bars.add_row(styled(printable(one.name), style), bar, styled(share, style))
    beside: list[RenderableType] = [bars]
    if not photo.is_sure:
        beside += [Text(), Text(ADVICE, style="dim")]
    # An endpoint does not say what it saw.
    colours = console.color_system in COLOURS and not console.no_color and bool(photo.seen.any())
    title = styled(file, "bold")
    if title.cell_len <= console.width - (IMAGE_WIDTH + GAP if colours else 0):
        beside = [title, Text(), *beside]
    else:
        console.print(title, soft_wrap=True)
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_row(*([_picture(photo)] if colours else []), Group(*beside))
    console.print(grid, Text())


def _picture(photo: Photo) -> Text:
    """What the network sees, as half blocks: a character for each pixel and the one below it."""
    rows = photo.seen.tolist()
    lines = [
        Text.assemble(*(("▀", _greys(*pair)) for pair in zip(upper, lower, strict=True)))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    return Text("\n").join(lines)


def _greys(upper: int, lower: int) -> Style:
    return Style(color=Color.from_rgb(*[upper] * 3), bgcolor=Color.from_rgb(*[lower] * 3))
