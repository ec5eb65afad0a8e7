"""What cells show: plots that fit a light and a dark theme, the report, a table of versions."""

import dataclasses
import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.facts import CLASS_NAMES
from pipeline.notebook.runs import root_of
from pipeline.runs.record import Run
from pipeline.runs.registry import Registry, Version

COLOURS: Final = ("#3b82f6", "#f97316", "#10b981", "#d946ef")
"""Of the runs in a plot: with a contrast above 2.5 to white and to black."""
PIXELS_PER_INCH: Final = 96
INK: Final = "#010203"
"""A colour that no plot would use by itself; the text's colour takes its place."""
STYLE: Final = {
    "svg.fonttype": "none",
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


@dataclasses.dataclass(frozen=True, repr=False)
class Shown:
    """A piece of HTML that a notebook shows.

    Attributes:
        html: The HTML.
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html


def show_images(
    images: NDArray[np.uint8], labels: Sequence[int] | NDArray[Any], *, columns: int = 10
) -> Shown:
    """Images in a grid, each under the name of its class.

    Args:
        images: uint8 [n, height, width].
        labels: Class of each.
        columns: Images in a row.
    """
    rows = -(-len(images) // columns)

    def draw(figure: Any) -> None:
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.axis("off")
        for axes, image, label in zip(grid.flat, images, labels, strict=False):
            axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(CLASS_NAMES[int(label)], fontsize=9, pad=3)

    names = ", ".join(CLASS_NAMES[int(label)] for label in labels)
    return _drawn(draw, (1.05 * columns, 1.25 * rows), f"Images of {names}")


def show_curves(runs: Mapping[str, Run]) -> Shown:
    """Learning curves of several runs: validation as lines, training dashed.

    Args:
        runs: By the name that the legend has for them.
    """
    histories = {name: run.artifact("history").read_json()["epochs"] for name, run in runs.items()}

    def draw(figure: Any) -> None:
        for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            for colour, (name, epochs) in zip(COLOURS, histories.items(), strict=False):
                for kind, line in (("", "--"), ("validation_", "-")):
                    points = [(row["epoch"], row[kind + key]) for row in epochs]
                    known = [point for point in points if point[1] is not None]
                    label = f"{name}, {'validation' if kind else 'training'}"
                    axes.plot(*_columns(known), line, color=colour, marker="o", label=label)
            axes.set_title(key.capitalize())
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)

    lasts = {name: epochs[-1]["validation_accuracy"] for name, epochs in histories.items()}
    description = [
        f"{name} ends with a validation accuracy of {'none' if last is None else f'{last:.4f}'}"
        for name, last in lasts.items()
    ]
    return _drawn(draw, (9.0, 3.8), f"Learning curves: {'; '.join(description)}")


def show_answer(picture: Any, probabilities: NDArray[Any]) -> Shown:
    """A picture beside its three most probable classes.

    Args:
        picture: A PIL image or uint8 [height, width].
        probabilities: Of each class.
    """
    best = np.argsort(probabilities)[::-1][:3]

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1, 2))
        left.imshow(picture, cmap="gray", vmin=0, vmax=255)
        left.axis("off")
        names = [CLASS_NAMES[number] for number in best]
        bars = right.barh(names, probabilities[best], color=COLOURS[0])
        right.bar_label(bars, [f"{probabilities[number]:.1%}" for number in best], padding=4)
        right.invert_yaxis()
        right.set_xlim(0, 1.15)
        right.set_xticks([])
        right.grid(visible=False)
        right.spines["bottom"].set_visible(False)

    description = [f"{CLASS_NAMES[number]} {probabilities[number]:.1%}" for number in best]
    return _drawn(draw, (6.0, 2.0), f"The model's answer: {', '.join(description)}")


def show_report(run: Run, *, height: int = 700) -> Shown:
    """The report of a run, inside the notebook.

    Args:
        run: A run with an evaluation.
        height: Pixels; what is longer scrolls.
    """
    page = html.escape(run.artifact("report").path.read_text())
    frame = f'<iframe title="Report of {html.escape(run.id)}" srcdoc="{page}" '
    style = f"width:100%;height:{height}px;border:1px solid currentColor;border-radius:4px"
    return Shown(f'{frame}style="{style}"></iframe>')


def show_versions(run: Run) -> Shown:
    """A table of the versions of a run's model in this machine's registry, the newest first."""
    found = Registry(root_of(run).registry).versions(run.model_name)
    titles = ("version", "accuracy", "aliases", "created", "learning rate")
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = "".join(_row(version) for version in reversed(found))
    return Shown(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _row(version: Version) -> str:
    facts = version.facts
    accuracy = facts.get("metrics", {}).get("accuracy")
    cells = (
        version.number,
        "" if accuracy is None else f"{accuracy:.4f}",
        ", ".join(version.aliases),
        facts.get("created", ""),
        facts.get("parameters", {}).get("learning_rate", ""),
    )
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _drawn(draw: Callable[[Any], None], inches: tuple[float, float], description: str) -> Shown:
    """An ``<svg>`` element whose ink is the colour of the text around it.

    Args:
        draw: Draws on a figure.
        inches: Its size.
        description: What it shows, for screen readers.
    """
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


def _columns(points: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [point[0] for point in points], [point[1] for point in points]
