"""What was measured goes into the documents as it was measured."""

import dataclasses
import re
from pathlib import Path

import pytest

from benchmarks import accuracy
from benchmarks.accuracy import Trained
from benchmarks.plot import draw
from benchmarks.results import Results
from pipeline.compiler import PROJECT
from scripts import document_benchmarks

SLOW = [(100.0, 0.90), (200.0, 0.91)]
QUICK = [(10.0, 0.91), (20.0, 0.93)]
RUNS = [
    *(Trained("cnn", seed, SLOW, 200.0, 0.9055) for seed in (0, 1, 2)),
    Trained("fast", 0, QUICK, 20.0, 0.9201, precision="float32"),
    Trained("fast", 1, QUICK, 24.0, 0.9211, precision="float32"),
    Trained("fast", 2, QUICK, 22.0, 0.9205, precision="float32"),
]


def test_the_summary_has_medians_over_the_seeds() -> None:
    *_, peer, preset = document_benchmarks.summary(RUNS).splitlines()
    assert peer == "| Keras guide's CNN, Adam, 20 epochs | 3 | 0.9055 | 200 | never |"
    assert preset == "| `fast` | 3 | 0.9205 | 22 | 20 s |"


def test_pages_and_plot_are_written_in_the_place_of_their_precision(tmp_path: Path) -> None:
    results = Results(tmp_path / "measured")
    results.add("accuracy", accuracy.rows(RUNS), RUNS)
    draw(RUNS, results.folder / document_benchmarks.PLOT)
    pages = [tmp_path / "README.md", tmp_path / "docs" / "benchmarks.md"]
    (tmp_path / "docs" / "pictures").mkdir(parents=True)
    other = "<!-- measured in bfloat16 -->\nkept\n<!-- end -->\n"
    for page in pages:
        page.write_text(f"{other}<!-- measured in float32 -->\nold\n<!-- end -->\nafter\n")
    document_benchmarks.main(results.folder, tmp_path)
    assert "| `fast` | 3 | 0.9205 |" in pages[0].read_text()
    assert "| test accuracy: fast | 0.9205 | 0.9201 to 0.9211 |" in pages[1].read_text()
    for page in pages:
        assert page.read_text().startswith(other)
        assert page.read_text().endswith("after\n")
        assert "old" not in page.read_text()
    (plot,) = (tmp_path / "docs" / "pictures").iterdir()
    assert plot.name == "accuracy-float32.svg"
    assert plot.read_text().startswith("<?xml")


def test_figures_of_an_older_file_that_tells_no_precision_have_no_place(tmp_path: Path) -> None:
    older = [dataclasses.replace(run, precision="") for run in RUNS]
    Results(tmp_path).add("accuracy", accuracy.rows(older), older)
    with pytest.raises(SystemExit, match="no training of a preset with its precision"):
        document_benchmarks.main(tmp_path, tmp_path)


def test_without_anything_measured_it_says_how_to_measure(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="`make bench` measures them"):
        document_benchmarks.main(tmp_path, tmp_path)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_the_documents_have_the_place(page: str, precision: str) -> None:
    place = re.compile(document_benchmarks.MEASURED % precision, re.DOTALL)
    assert len(place.findall((PROJECT / page).read_text())) == 1
