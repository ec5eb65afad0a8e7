"""Predictions on a terminal: what the network saw, as half blocks, beside the likeliest classes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pipeline.photos.predictions import Prediction

BAR: Final = 24
"""Characters of a probability of 1."""
EIGHTHS: Final = " ▏▎▍▌▋▊▉"
COLOURS: Final = ("256", "truecolor")
"""Systems of colours that have greys enough for a picture."""
UNSURE: Final = 0.5
"""Probability below which a prediction is called unsure."""
ADVICE: Final = "not sure: it expects one piece of clothing, whole, upright, on a plain ground"


def show(prediction: Prediction, console: Console) -> None:
    """Prints a prediction: with a picture on a terminal with colours, elsewhere in one line."""
    if not console.is_terminal:
        told = ", ".join(f"{name} {percent(share)}" for name, share in prediction.ranking)
        line = f"{prediction.photo.file}: {told}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
        return
    beside: list[RenderableType] = [
        Text(prediction.photo.file, style="bold"),
        Text(),
        _bars(prediction.ranking),
    ]
    if prediction.ranking[0][1] < UNSURE:
        beside += [Text(), Text(ADVICE, style="dim")]
    grid = Table.grid(padding=(0, 3, 0, 0))
    if console.color_system in COLOURS and not console.no_color:
        grid.add_row(picture(prediction.photo.seen), Group(*beside))
    else:
        grid.add_row(Group(*beside))
    console.print(grid, Text())


def picture(image: NDArray[np.uint8]) -> Text:
    """An image as text: a character for each pixel and the one below it.

    Args:
        image: uint8 [height, width]; the height is even.
    """
    lines = [
        Text.assemble(*(("▀", _greys(up, low)) for up, low in zip(upper, lower, strict=True)))
        for upper, lower in zip(image[::2], image[1::2], strict=True)
    ]
    return Text("\n").join(lines)


def percent(share: float) -> str:
    """A probability in words: ``97.3 %``."""
    return f"{100 * share:.1f} %"


def _greys(upper: int, lower: int) -> Style:
    return Style(color=Color.from_rgb(upper, upper, upper), bgcolor=Color.from_rgb(*[lower] * 3))


def _bars(ranking: list[tuple[str, float]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for place, (name, share) in enumerate(ranking):
        style = "bold" if place == 0 else ""
        bar = Text(_bar(share), style="green" if place == 0 else "cyan")
        table.add_row(Text(name, style=style), bar, Text(percent(share), style=style))
    return table


def _bar(share: float) -> str:
    full, eighths = divmod(round(share * BAR * 8), 8)
    return ("█" * full + EIGHTHS[eighths]).ljust(BAR)
