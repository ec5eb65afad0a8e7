"""What was measured is copied into the documents."""

from pathlib import Path
from typing import Any

from benchmarks import accuracy
from benchmarks.accuracy import Trained
from benchmarks.figure import Figure
from benchmarks.plot import draw
from benchmarks.results import Results
from scripts import document_benchmarks

SERVED: Any = {"megabytes": 0.84, "prediction_ms": 1.23}
RUNS = [
    *(Trained("cnn", seed, [(100.0, 0.90)], 200.0, 0.9055) for seed in (0, 1, 2)),
    Trained("fast", 0, [(10.0, 0.91)], 20.0, 0.9201, precision="float32", **SERVED),
    Trained("fast", 1, [(10.0, 0.91)], 24.0, 0.9211, precision="float32", **SERVED),
    Trained("fast", 2, [(10.0, 0.91)], 22.0, 0.9205, precision="float32", **SERVED),
]


def test_photos_are_a_table_of_their_own(tmp_path: Path) -> None:
    results = Results(tmp_path / "measured")
    figures = [
        Figure("photos, white", [0.94], detail="squeezed to 28x28: 0.170"),
        Figure("`predict`, one photo", [3.0], "s"),
    ]
    results.add("photos", figures)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "predictions.md"
    page.write_text("before\n<!-- photos -->\nold\n<!-- end -->\nafter\n")
    document_benchmarks.main(results.folder, tmp_path)
    table = "| photos | as the model prepares them | squeezed |\n|---|---|---|\n"
    assert page.read_text() == (
        f"before\n<!-- photos -->\n\n{table}| white | 0.940 | 0.170 |\n\n<!-- end -->\nafter\n"
    )


def test_medians_and_plot_are_written_in_the_place_of_their_precision(tmp_path: Path) -> None:
    results = Results(tmp_path / "measured")
    results.add("accuracy", accuracy.rows(RUNS), RUNS)
    draw(RUNS, results.folder / "accuracy.svg")
    names = ("README.md", "docs/benchmarks.md", "docs/presets.md")
    pages = [tmp_path / name for name in names]
    (tmp_path / "docs" / "pictures").mkdir(parents=True)
    other = "<!-- measured in bfloat16 -->\nkept\n<!-- end -->\n"
    for page in pages:
        page.write_text(f"{other}<!-- measured in float32 -->\nold\n<!-- end -->\nafter\n")
    document_benchmarks.main(results.folder, tmp_path)
    assert "| preset `fast` | 0.9205 | 22 | 0.8 MB | 1.2 ms |" in pages[0].read_text()
    assert "| Keras guide's CNN, Adam, 20 epochs | 0.9055 | 200 |  |  |" in pages[0].read_text()
    assert "| preset `fast` | 0.9205 | 22 |" in pages[2].read_text()
    assert "| test accuracy: fast | 0.9205 | 0.9201 to 0.9211 |" in pages[1].read_text()
    for page in pages:
        assert page.read_text().startswith(other)
        assert page.read_text().endswith("after\n")
        assert "old" not in page.read_text()
    assert [path.name for path in (tmp_path / "docs" / "pictures").iterdir()] == [
        "accuracy-float32.svg"
    ]
