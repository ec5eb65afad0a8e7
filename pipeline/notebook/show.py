"""What cells show: plots that fit a light and a dark theme, the report, a table of versions."""

import dataclasses
import html
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.notebook.runs import root_of
from pipeline.runs.record import Run, html_table
from pipeline.runs.registry import Registry

COLOURS: Final = ("#3b82f6", "#f97316", "#10b981", "#d946ef")
"""Of the runs in a plot: with a contrast above 2.5 to white and to black."""
PIXELS_PER_INCH: Final = 96
INK: Final = "#010203"
"""A colour that no plot would use by itself; the text's colour takes its place."""
LONGEST: Final = 14
"""Letters of a class's name above a picture."""
STYLE: Final = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
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
}


@dataclasses.dataclass(frozen=True, repr=False)
class Shown:
    """A piece of HTML that a notebook shows."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def show_images(
    images: NDArray[np.uint8],
    labels: Sequence[int] | NDArray[Any],
    classes: Sequence[str],
    *,
    columns: int = 10,
) -> Shown:
    """Images, uint8 [n, height, width] or [n, height, width, 3], each under its class's name."""
    rows = -(-len(images) // columns)
    names = [classes[int(label)] for label in labels]

    def draw(figure: Any) -> None:
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.axis("off")
        for axes, image, name in zip(grid.flat, images, names, strict=False):
            axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            title = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
            axes.set_title(title, fontsize=9, pad=3)

    return _drawn(draw, (1.05 * columns, 1.25 * rows), f"Images of {', '.join(names)}")


def show_curves(runs: Mapping[str, Run]) -> Shown:
    """Learning curves of several runs by name: validation as lines, training dashed."""
    histories = {name: run.artifact("history").read_json()["epochs"] for name, run in runs.items()}

    def draw(figure: Any) -> None:
        for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            for colour, (name, epochs) in zip(COLOURS, histories.items(), strict=False):
                for kind, line in (("", "--"), ("validation_", "-")):
                    known = [row for row in epochs if row[kind + key] is not None]
                    axes.plot(
                        [row["epoch"] for row in known],
                        [row[kind + key] for row in known],
                        line,
                        color=colour,
                        marker="o",
                        label=f"{name}, {'validation' if kind else 'training'}",
                    )
            axes.set_title(key.capitalize())
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)

    lasts = [
        f"{name} ends with a validation accuracy of {epochs[-1]['validation_accuracy']}"
        for name, epochs in histories.items()
    ]
    return _drawn(draw, (9.0, 3.8), f"Learning curves: {'; '.join(lasts)}")


def show_answer(picture: Any, probabilities: Mapping[str, float]) -> Shown:
    """A picture, a PIL image or uint8 [height, width, …], next to its three most likely classes.

    ``probabilities`` is what ``ask`` returns.
    """
    names = sorted(probabilities, key=lambda name: -probabilities[name])[:3]
    best = [probabilities[name] for name in names]
    texts = [f"{share:.1%}" for share in best]

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1, 2))
        left.imshow(picture, cmap="gray", vmin=0, vmax=255)
        left.axis("off")
        bars = right.barh(names, best, color=COLOURS[0])
        right.bar_label(bars, texts, padding=4)
        right.invert_yaxis()
        right.set_xlim(0, 1.15)
        right.set_xticks([])
        right.grid(visible=False)
        right.spines["bottom"].set_visible(False)

    description = [f"{name} {text}" for name, text in zip(names, texts, strict=True)]
    return _drawn(draw, (6.0, 2.0), f"The model's answer: {', '.join(description)}")


def show_report(run: Run, *, height: int = 700) -> Shown:
    """The report of a run, inside the notebook; what is longer than ``height`` pixels scrolls."""
    page = html.escape(run.artifact("report").path.read_text())
    frame = f'<iframe title="Report of {html.escape(run.id)}" srcdoc="{page}" '
    style = f"width:100%;height:{height}px;border:1px solid currentColor;border-radius:4px"
    return Shown(f'{frame}style="{style}"></iframe>')


def show_versions(run: Run) -> Shown:
    """A table of the versions of a run's model in this machine's registry, the newest first."""
    found = Registry(root_of(run).registry).versions(run.model_name)
    titles = ("version", "accuracy", "aliases", "created", "learning rate")
    rows = [
        (
            version.number,
            f"{version.facts.get('metrics', {}).get('accuracy', math.nan):.4f}",
            ", ".join(version.aliases),
            version.facts.get("created", ""),
            version.facts.get("parameters", {}).get("learning_rate", ""),
        )
        for version in reversed(found)
    ]
    return Shown(html_table(titles, rows))


def _drawn(draw: Callable[[Any], None], inches: tuple[float, float], description: str) -> Shown:
    """An ``<svg>`` element whose ink is the colour of the text around it."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue().replace(INK, "currentColor")
    svg = svg[svg.index("<svg") :]
    width = round(inches[0] * PIXELS_PER_INCH)
    style = f"max-width:{width}px;overflow-x:auto"
    return Shown(
        f'<div role="img" aria-label="{html.escape(description)}" style="{style}">{svg}</div>'
    )
