"""What the plots hold; how they look is looked at in a browser."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from pipeline.notebook import (
    Artifact,
    show_answer,
    show_curves,
    show_images,
    show_report,
)
from pipeline.notebook.show import Shown
from pipeline.runs.record import Run, Task

IMAGES = np.zeros((12, 28, 28), np.uint8)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with the files that are drawn."""
    rows = [
        {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "validation_loss": None,
         "validation_accuracy": None},
        {"epoch": 2, "loss": 0.5, "accuracy": 0.8, "validation_loss": 0.6,
         "validation_accuracy": 0.7},
    ]  # fmt: skip
    (tmp_path / "history").write_text(json.dumps({"epochs": rows}))
    (tmp_path / "report").write_text('<!doctype html><p class="a">Passed</p>')
    outputs = {name: Artifact(str(tmp_path / name)) for name in ("history", "report")}
    steps = {"evaluate": Task("evaluate", "Evaluate", "done", 1.0, outputs)}
    return Run("run-1", tmp_path, steps=steps)


def words(shown: Shown) -> list[str]:
    """The texts of a plot; its page is well-formed."""
    page = shown._repr_html_()
    # In a theme of either kind the ink is that of the text around it.
    assert "currentColor" in page
    assert "#010203" not in page
    return ["".join(text.itertext()).strip() for text in ElementTree.fromstring(page).iter()
            if text.tag.endswith("}text")]  # fmt: skip


def test_each_plot_says_what_is_to_be_seen(run: Run) -> None:
    answer = show_answer(IMAGES[0], np.array([0.7, 0.2, 0.1] + [0.0] * 7, np.float32))
    shown = {
        "Images of Sandal, Bag": show_images(IMAGES[:2], [5, 8]),
        "Learning curves: run ends with a validation accuracy of 0.7": show_curves({"run": run}),
        "The model's answer: T-shirt/top 70.0%, Trouser 20.0%, Pullover 10.0%": answer,
    }
    for told, plot in shown.items():
        element = ElementTree.fromstring(plot._repr_html_())
        assert element.get("role") == "img"
        assert element.get("aria-label", "").startswith(told)


def test_curves_have_a_name_for_each_run_and_skip_epochs_without_validation(run: Run) -> None:
    found = words(show_curves({"before": run, "after": run}))
    for name in ("before", "after"):
        assert {f"{name}, training", f"{name}, validation"} <= set(found)


def test_the_report_is_a_frame_that_needs_no_file(run: Run) -> None:
    page = show_report(run)._repr_html_()
    assert page.startswith('<iframe title="Report of run-1" srcdoc="&lt;!doctype html&gt;')
    assert '"a"' not in page
