"""``make bench``: measures everything, prints a table, writes Markdown, JSON and a plot."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from components.dataset.raw import find_raw

from . import accuracy, decoding, startup, table, throughput, whole_run
from .figure import Figure
from .settings import Settings

OUTPUT = Path(".fashion-mnist/benchmarks")


class Part(StrEnum):
    """What can be measured by itself."""

    DECODE = "decode"
    STARTUP = "startup"
    THROUGHPUT = "throughput"
    ACCURACY = "accuracy"
    RUN = "run"


def main(
    only: Annotated[list[Part] | None, typer.Option(help="Measure just this; repeatable.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Of each comparison.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Training runs of each preset.")] = 3,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = OUTPUT,
    quick: Annotated[
        bool, typer.Option("--quick", help="Show that all works; the figures say nothing.")
    ] = False,
) -> None:
    """Measure the project against what a user would otherwise write, as ratios of one run."""
    console, notes = Console(), Console(stderr=True)
    parts = set(only or Part)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        settings = Settings(
            repeats=1 if quick else repeats,
            seeds=1 if quick else seeds,
            quick=quick,
            raw=find_raw(),
            scratch=Path(scratch),
            output=output,
            say=lambda text: notes.print(f"measuring {text}", style="dim", highlight=False),
        )
        figures, runs = measure(settings, parts)
    table.show(figures, console)
    written = table.write(figures, output, runs=[run.as_json() for run in runs], quick=quick)
    if runs:
        from .plot import draw

        written.append(draw(runs, output / "accuracy.svg"))
    console.print(*map(str, written), sep="\n", highlight=False)


def measure(settings: Settings, parts: set[Part]) -> tuple[list[Figure], list[accuracy.Trained]]:
    """The rows of all ``parts``, and the training runs among them."""
    figures: list[Figure] = []
    runs: list[accuracy.Trained] = []
    for part, rows in (
        (Part.DECODE, decoding.measure),
        (Part.STARTUP, startup.measure),
        (Part.THROUGHPUT, throughput.measure),
        (Part.RUN, whole_run.measure),
    ):
        if part in parts:
            figures += rows(settings)
    if Part.ACCURACY in parts:
        rows_of_accuracy, runs = accuracy.measure(settings)
        figures += rows_of_accuracy
    return figures, runs


if __name__ == "__main__":
    typer.run(main)
