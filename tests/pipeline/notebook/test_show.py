import json
from pathlib import Path

from pipeline.notebook import Artifact, show_curves
from pipeline.runs.record import Run, Task


def test_curves_skip_epochs_without_validation_and_say_where_they_end(tmp_path: Path) -> None:
    names = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
    rows = [(1, 1.0, 0.5, None, None), (2, 0.5, 0.8, 0.6, 0.7)]
    epochs = [dict(zip(names, row, strict=True)) for row in rows]
    (tmp_path / "history").write_text(json.dumps({"epochs": epochs}))
    train = Task("train", "Train", outputs={"history": Artifact(str(tmp_path / "history"))})
    page = show_curves({"mine": Run("run-1", tmp_path, steps={"train": train})})._repr_html_()
    assert "Learning curves: mine ends with a validation accuracy of 0.7" in page
