"""How a terminal shows a photo and the answer to it."""

from itertools import zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.bar import Bar
from rich.color import Color
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pipeline.cli.console import is_plain, styled
from pipeline.photos.predictions import Photo
from pipeline.text import printable

BAR: Final = 24
"""Characters of a probability of 1."""
SIDE: Final = 32
"""Pixels of a picture's longest edge on a terminal; a larger one is reduced."""
GAP: Final = 3
"""Characters between a picture and the names next to it."""
COLOURS: Final = ("256", "truecolor")
"""Colour systems with enough colours for a picture."""


def show_prediction(photo: Photo, expected: str, console: Console) -> None:
    """Prints a prediction: with a picture on a terminal with colours, elsewhere in one line.

    ``expected`` is what the model can answer about.
    """
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
        beside += [Text(), Text(f"not sure: it expects {expected}", style="dim")]
    # An endpoint does not say what it saw.
    colours = console.color_system in COLOURS and not console.no_color and photo.seen.size > 0
    width = min(SIDE, photo.seen.shape[1]) + GAP if colours else 0
    title = styled(file, "bold")
    if title.cell_len <= console.width - width:
        beside = [title, Text(), *beside]
    else:
        console.print(title, soft_wrap=True)
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_row(*([_picture(photo.seen)] if colours else []), Group(*beside))
    console.print(grid, Text())


def _picture(seen: NDArray[np.uint8]) -> Text:
    """What the network sees, as half blocks: a character for each pixel and the one below it."""
    image = Image.fromarray(seen).convert("RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    rows = np.asarray(image).tolist()
    lines = [
        Text.assemble(*(("▀", _style(*pair)) for pair in zip(upper, lower, strict=True)))
        for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=[None] * image.width)
    ]
    return Text("\n").join(lines)


def _style(upper: list[int], lower: list[int] | None) -> Style:
    below = None if lower is None else Color.from_rgb(*lower)
    return Style(color=Color.from_rgb(*upper), bgcolor=below)
