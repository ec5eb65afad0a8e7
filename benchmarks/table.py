"""The measured figures for a person: a table in the terminal, Markdown."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from components.train.trainer.hardware import LIMIT

from .figure import Figure, number

HEADINGS = ("figure", "median", "lowest to highest", "target", "")
PACKAGES = ("tensorflow", "keras", "numpy", "kfp")
WIDTH = 160
MARKS = {True: "met", False: "missed", None: ""}


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Each figure as the cells of ``HEADINGS``."""
    cells: list[tuple[str, ...]] = []
    for figure in figures:
        unit = f" {figure.unit}" if figure.unit else ""
        spread = f"{number(min(figure.values))} to {number(max(figure.values))}"
        if len(figure.values) == 1:
            spread = "one run"
        target = ""
        if figure.target:
            sign = "≤" if figure.target.at_most else "≥"
            target = f"{sign} {number(figure.target.limit)} {MARKS[figure.met]}"
        cells.append((figure.name, f"{number(figure.median)}{unit}", spread, target, figure.detail))
    return cells


def show(figures: Sequence[Figure], console: Console) -> None:
    """Prints the table, wide where the width is not a terminal's."""
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for cells in rows(figures):
        table.add_row(*cells)
    console.print(table)


def markdown(figures: Sequence[Figure]) -> str:
    """The table for a page."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *rows(figures)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def machine() -> str:
    """What it was measured on, in a line."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line]
    cpu = f"{len(names)} cores of {names[0]}" if names else platform.processor()
    flags = [flag for flag in ("avx512_bf16", "amx_bf16") if flag in info]
    if limit := os.environ.get(LIMIT):
        flags = [f"limited to {limit} by {LIMIT}"]
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return f"{', '.join([cpu, *flags])}; Python {platform.python_version()}, {packages}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        # TensorFlow's distribution for CPUs has another name.
        return version(f"{name}-cpu")
