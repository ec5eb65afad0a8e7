import json
import logging
from pathlib import Path

import pytest
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Metrics, Model

from components.evaluate import gate
from components.evaluate.component import evaluate
from tests.idx_files import FASHION


@pytest.mark.parametrize(("min_accuracy", "expected"), [(0.9, True), (0.91, False)])
def test_the_step_returns_the_verdict_and_writes_every_output(
    min_accuracy: float,
    expected: bool,
    test_records: Path,
    history: Path,
    wrong_on_10: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics(uri=str(tmp_path / "metrics"))
    matrix = ClassificationMetrics(uri=str(tmp_path / "matrix"))
    report = HTML(uri=str(tmp_path / "report"))
    evaluation = Artifact(uri=str(tmp_path / "evaluation"))
    with caplog.at_level(logging.INFO):
        passed = evaluate.python_func(
            model=Model(uri=str(wrong_on_10)),
            history=Artifact(uri=str(history)),
            champion=Model(uri=""),
            test_records=Dataset(uri=str(test_records)),
            metrics=metrics,
            confusion_matrix=matrix,
            report=report,
            evaluation=evaluation,
            min_accuracy=min_accuracy,
        )
    assert passed is expected
    assert metrics.metadata["accuracy"] == 0.9
    assert metrics.metadata.keys() == {"accuracy", "loss", "macro_f1"}
    assert json.loads((tmp_path / "metrics").read_text()) == metrics.metadata
    assert evaluation.metadata == {"passed": expected, "reason": caplog.messages[-1]}
    found = json.loads((tmp_path / "evaluation").read_text())
    assert found["accuracy"] == 0.9
    rules = [name for name, rule in gate.RULES.items() if rule.off is None]
    assert [rule["name"] for rule in found["verdict"]["rules"]] == rules
    shown = [
        entry["displayName"] for entry in matrix.metadata["confusionMatrix"]["annotationSpecs"]
    ]
    assert shown == list(FASHION.classes)
    assert json.loads((tmp_path / "matrix").read_text())["class_names"] == list(FASHION.classes)
    assert (tmp_path / "report").read_text().startswith("<!doctype html>")
