"""The report: an evaluation as one self-contained page, to which a run adds what only it knows.

Its templates draw charts as inline SVG, which takes colours and font from the page, so they are
readable on light and on dark. matplotlib's import alone would take 0.8 s in every run.
"""

import base64
import heapq
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from components.evaluate.scores import accuracy_interval

TEMPLATES: Final = Path(__file__).parent
LETTERS: Final = 18
NARROW_SPACE: Final = "\u202f"
"""Between number and percent sign; no line breaks there."""
MARGIN: Final = 0.06
"""Share of the values' range that a chart leaves free at either end."""
MOST_TICKS: Final = 7
FEW: Final = 20
"""Classes up to which all are in one table; of more the worst ones come first."""
EXACT_SIDE: Final = 64
"""Pixels of a picture's longer side up to which each pixel is shown as it is."""
SCALED_SIDE: Final = 128
"""Pixels of the longer side of a larger picture on the page."""
RIGHT: Final = (31, 111, 235)
WRONG: Final = (214, 90, 20)
FAINTEST: Final = 0.25
"""Opacity of a cell with a single mistake among many examples."""


class Scale(NamedTuple):
    """A linear scale along one side of a chart, from ``low`` at ``start`` to ``high`` at ``end``.

    ``start`` and ``end`` are in the drawing's units; ``ticks`` are the values to label, round
    numbers.
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
    """A scale that shows all values, which are finite; ``whole`` labels whole numbers only."""
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


def render(evaluation: Mapping[str, Any], *, run: Mapping[str, Any] | None = None) -> str:
    """A self-contained HTML page: no script and nothing loaded from elsewhere.

    The same arguments give the same bytes.

    Args:
        evaluation: The content of the ``evaluation`` artifact.
        run: What the run that made the model adds; None: nothing. All values are plain:
            id, when (it started), duration, in_steps (the sum of its steps): texts.
            state, error (may be empty), spec_digest, revision (may be empty), command: texts.
            steps: Of each: title, figure, state, duration (texts) and seconds (a number).
            model: name, version (may be empty), present (whether the registry has it), aliases,
                place (where to copy it from, quoted for a shell; may be empty).
            parameters: Titled groups, each with values by name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(TEMPLATES),
    )
    shape = evaluation["image_shape"]
    environment.globals |= {
        "few": FEW,
        "interval": accuracy_interval,
        "scale": scale,
        "scaled": max(shape[:2]) > EXACT_SIDE,
    }
    environment.filters |= {
        "percent": _percent,
        "decimals": _decimals,
        "count": "{:,}".format,
        "heat": _heat,
        "mistaken": _mistaken,
        "short": _short,
        "order": _order,
        "picture": lambda pixels: _picture(pixels, shape),
        "plain": _plain,
        "zeros": lambda counts: [label for label, count in enumerate(counts) if not count],
    }
    # Evaluations of earlier versions know no temperature, and their data have no name.
    unnamed = {"name": "Image", "form": "x".join(map(str, shape)), "counts": {}}
    dataset = unnamed | evaluation.get("data", {})
    evaluation = {"before_calibration": None, "dataset": dataset, **evaluation}
    return environment.get_template("report.html").render(**evaluation, run=run)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}{NARROW_SPACE}%"


def _decimals(value: float | None, digits: int = 4) -> str:
    return "—" if value is None else f"{value:.{digits}f}"


def _plain(value: Any) -> str:
    """A value of JSON as a person writes it, numbers to six digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return (value or "empty") if isinstance(value, str) else json.dumps(value)


def _short(name: str) -> str:
    """A name of at most ``LETTERS``; long names of many classes often differ at their end."""
    half = LETTERS // 2
    return name if len(name) <= LETTERS else f"{name[: half - 1]}…{name[-half:]}"


def _order(values: Sequence[float | None]) -> list[int]:
    """The labels of all classes; of many classes those with the lowest value first, None last."""
    labels = range(len(values))
    if len(values) <= FEW:
        return list(labels)
    return sorted(labels, key=lambda label: math.inf if (v := values[label]) is None else v)


def _mistaken(matrix: Sequence[Sequence[int]], most: int) -> list[tuple[int, int, int]]:
    """The cells of a confusion matrix with the most mistakes: label, prediction, count."""
    cells = [
        (label, predicted, count)
        for label, counts in enumerate(matrix)
        for predicted, count in enumerate(counts)
        if count and predicted != label
    ]
    return heapq.nlargest(most, cells, key=lambda cell: cell[2])


def _heat(matrix: Sequence[Sequence[int]]) -> str:
    """A data URI of a confusion matrix, a pixel a cell, which shows the page behind it."""
    from PIL import Image

    pixels = bytearray()
    for label, counts in enumerate(matrix):
        for predicted, count in enumerate(counts):
            share = math.sqrt(count / sum(counts)) if count else 0.0
            opacity = FAINTEST + (1 - FAINTEST) * share if count else 0.0
            pixels += bytes((*(RIGHT if predicted == label else WRONG), round(255 * opacity)))
    return _uri(Image.frombytes("RGBA", (len(matrix), len(matrix)), bytes(pixels)), "PNG")


def _picture(pixels: str, shape: Sequence[int]) -> str:
    """A data URI of an image: row-major uint8 in base64, of this shape."""
    from PIL import Image

    mode = "L" if len(shape) == 2 else "RGB"
    image = Image.frombytes(mode, (shape[1], shape[0]), base64.b64decode(pixels))
    if max(shape[:2]) <= EXACT_SIDE:
        return _uri(image, "PNG")
    image.thumbnail((SCALED_SIDE, SCALED_SIDE))
    return _uri(image, "JPEG")


def _uri(image: Any, form: str) -> str:
    file = io.BytesIO()
    image.save(file, format=form, optimize=True)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
