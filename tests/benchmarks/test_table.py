import io
import re

from rich.console import Console

from benchmarks import table
from benchmarks.figure import Figure, Target

FIGURES = [
    Figure("decode / loop", [11.0, 12.0, 13.0], target=Target(10), detail="loop 7 s"),
    Figure("start-up", [0.5], "s"),
    Figure("memory", [0.5], target=Target(0.25, at_most=True)),
]


def test_a_row_tells_median_spread_and_whether_the_target_is_met() -> None:
    assert table.rows(FIGURES) == [
        ("decode / loop", "12", "11 to 13", "≥ 10 met", "loop 7 s"),
        ("start-up", "0.5 s", "one run", "", ""),
        ("memory", "0.5", "one run", "≤ 0.25 missed", ""),
    ]


def test_the_terminal_shows_every_row() -> None:
    text = io.StringIO()
    table.show(FIGURES, Console(file=text))
    for figure in FIGURES:
        assert figure.name in text.getvalue()


def test_markdown_holds_the_rows() -> None:
    lines = table.markdown(FIGURES).splitlines()
    assert len(lines) == 5
    assert "| decode / loop | 12 | 11 to 13 | ≥ 10 met | loop 7 s |" in lines


def test_the_machine_is_told_with_its_packages() -> None:
    assert re.search(r"cores? of .*; Python 3\.\d+\.\d+, tensorflow 2\.", table.machine())
