"""``make bench``: measures everything, prints a table, writes Markdown, JSON and a plot."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from components.ingest.fashion_mnist import DESCRIPTION, find_raw

from . import (
    accuracy,
    decoding,
    photos,
    scaling,
    serving,
    startup,
    table,
    throughput,
    whole_run,
)
from .process import BenchmarkError
from .results import Results
from .settings import Settings

OUTPUT = Path(".fashion-mnist/benchmarks")


class Part(StrEnum):
    """What can be measured by itself."""

    DECODE = "decode"
    STARTUP = "startup"
    THROUGHPUT = "throughput"
    SERVING = "serving"
    SCALE = "scale"
    RUN = "run"
    PHOTOS = "photos"
    ACCURACY = "accuracy"
    BEST = "best"


MEASURES = {
    Part.DECODE: decoding.measure,
    Part.STARTUP: startup.measure,
    Part.THROUGHPUT: throughput.measure,
    Part.SERVING: serving.measure,
    Part.SCALE: scaling.measure,
    Part.RUN: whole_run.measure,
    Part.PHOTOS: photos.measure,
}


def main(
    only: Annotated[list[Part] | None, typer.Option(help="Measure just this; repeatable.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Of each comparison.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Training runs of each preset.")] = 3,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = OUTPUT,
    quick: Annotated[
        bool, typer.Option("--quick", help="Show that all works; the figures say nothing.")
    ] = False,
) -> None:
    """Measure the project against what a user would otherwise write, as ratios of one run.

    Each part is written when it is done; the table at the end is of all parts in the folder.
    """
    console, notes = Console(), Console(stderr=True)
    results = Results(output / "quick" if quick else output)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        settings = Settings(
            repeats=1 if quick else repeats,
            seeds=1 if quick else seeds,
            quick=quick,
            raw=described_raw(Path(scratch)),
            scratch=Path(scratch),
            say=lambda text: notes.print(f"measuring {text}", style="dim", highlight=False),
        )
        for part in only or Part:
            measure(part, settings, results)
    table.show(results.figures, console)
    if results.revisions:
        console.print(results.revisions, highlight=False)
    written = [results.folder / "results.md", results.folder / "results.json"]
    if results.runs:
        from .plot import draw

        written.append(draw(results.runs, results.folder / "accuracy.svg"))
    console.print(*map(str, written), sep="\n", highlight=False)


def described_raw(scratch: Path) -> Path:
    """The official files with their description, in a folder of ``scratch``."""
    folder = scratch / "raw"
    folder.mkdir()
    for path in find_raw().iterdir():
        (folder / path.name).symlink_to(path)
    DESCRIPTION.write(folder)
    return folder


def measure(part: Part, settings: Settings, results: Results) -> None:
    """Measures a part and writes its figures; training runs are written after each seed."""
    if part in MEASURES:
        results.add(part, MEASURES[part](settings))
        return
    who = accuracy.LONG if part is Part.BEST else accuracy.SHORT
    for figures, runs in accuracy.measure(settings, who):
        results.add(part, figures, runs)


if __name__ == "__main__":
    try:
        typer.run(main)
    except BenchmarkError as error:
        raise SystemExit(f"error: {error}") from None
