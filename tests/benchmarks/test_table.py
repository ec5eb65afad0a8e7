import io
import json
from pathlib import Path

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
    table.show(FIGURES, Console(file=text, width=120))
    for figure in FIGURES:
        assert figure.name in text.getvalue()


def test_markdown_and_json_hold_the_figures_and_the_machine(tmp_path: Path) -> None:
    markdown, content = table.write(FIGURES, tmp_path / "new", quick=True)
    assert "| decode / loop | 12 | 11 to 13 | ≥ 10 met | loop 7 s |" in markdown.read_text()
    facts = json.loads(content.read_text())
    assert [row["median"] for row in facts["figures"]] == [12.0, 0.5, 0.5]
    assert facts["quick"] is True
    for text in (facts["machine"], markdown.read_text()):
        assert "tensorflow" in text
