"""Plots as inline SVG that takes its colours from the page, so it reads on light and on dark."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.evaluate.scores import BINS

INK: Final = "#010203"
FIRST: Final = "#010204"
SECOND: Final = "#010205"
COLOURS: Final = {INK: "currentColor", FIRST: "var(--first)", SECOND: "var(--second)"}
"""Colours that no plot would use by itself, and what the page has in their place."""
STYLE: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fashion-mnist",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
}
SIZE: Final = (4.6, 3.0)
"""Inches of a plot; the page scales it."""


def plots(epochs: Sequence[Mapping[str, Any]], bins: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """All plots of an evaluation, each an ``<svg>`` element.

    Args:
        epochs: The history's entries.
        bins: As ``scores.calibration`` makes them.

    Returns:
        ``calibration``; where there are epochs ``loss`` and ``accuracy`` too.
    """
    curves = {name: learning_curve(epochs, name) for name in ("loss", "accuracy") if epochs}
    return {**curves, "calibration": reliability(bins)}


def learning_curve(epochs: Sequence[Mapping[str, Any]], figure: str) -> str:
    """Training and validation values over the epochs.

    Args:
        epochs: Entries with ``epoch``, the figure, and ``validation_<figure>`` or None for it.
        figure: ``loss`` or ``accuracy``.

    Returns:
        An ``<svg>`` element.
    """

    def draw(axes: Any) -> None:
        series = (
            (figure, "training", FIRST, "o"),
            (f"validation_{figure}", "validation", SECOND, "s"),
        )
        for key, label, colour, marker in series:
            points = [
                (entry["epoch"], entry[key]) for entry in epochs if entry.get(key) is not None
            ]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, marker=marker, label=label)
        axes.set_xlabel("epoch")
        axes.set_ylabel(figure)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.margins(x=0.06, y=0.1)
        axes.legend()

    return _svg(draw, figure)


def reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy over confidence: bars that end on the diagonal mean honest probabilities.

    Args:
        bins: As ``scores.calibration`` makes them.

    Returns:
        An ``<svg>`` element.
    """

    def draw(axes: Any) -> None:
        filled = [entry for entry in bins if entry["examples"]]
        centres = [(entry["low"] + entry["high"]) / 2 for entry in filled]
        heights = [entry["accuracy"] for entry in filled]
        axes.bar(centres, heights, width=0.9 / BINS, color=FIRST, label="this model")
        axes.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1, label="perfect")
        axes.set_axisbelow(True)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
        axes.legend(loc="upper left")

    return _svg(draw, "calibration")


def _svg(draw: Any, name: str) -> str:
    """Draws on one pair of axes; the same input gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        canvas = Figure(figsize=SIZE, layout="constrained")
        draw(canvas.subplots())
        file = io.StringIO()
        absent = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        canvas.savefig(file, format="svg", transparent=True, metadata=absent)
    return _embeddable(file.getvalue(), name)


def _embeddable(document: str, name: str) -> str:
    """An SVG document as an element of a page: own ids, the page's colours, no fixed size."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r'(\bid="|"#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r'<svg[^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true">', svg, count=1)
    svg = svg.replace("xlink:href", "href")
    for sentinel, colour in COLOURS.items():
        svg = svg.replace(sentinel, colour)
    return svg.strip()
