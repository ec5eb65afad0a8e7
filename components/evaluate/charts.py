"""Scales of the report's charts, which its templates draw as inline SVG.

A chart takes its colours and its font from the page, so it is readable on light and on dark.
matplotlib would take 0.8 s for its import alone, in every run and for every ``report``.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

MARGIN: Final = 0.06
"""Share of the values' range that is left free at either end."""
MOST_TICKS: Final = 7


class Scale(NamedTuple):
    """A linear scale along one side of a drawing, from the place ``start`` to ``end``.

    Attributes:
        low, high: The values at its start and end.
        start, end: Where it starts and ends, in the drawing's units.
        ticks: The values to label, round numbers.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """The place of a value, in the drawing's units."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def scale(
    values: Sequence[float],
    start: float,
    end: float,
    *,
    margin: float = MARGIN,
    whole: bool = False,
) -> Scale:
    """A scale that shows all values.

    Args:
        values: At least one, finite.
        start: See ``Scale``.
        end: See ``Scale``.
        margin: Share of the values' range to leave free at either end.
        whole: Label whole numbers only.
    """
    low, high = min(values), max(values)
    free = margin * (high - low) if high > low else 0.5
    low, high = low - free, high + free
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    if whole:
        step = max(1.0, round(step))
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return Scale(low, high, start, end, tuple(number * step for number in numbers))
