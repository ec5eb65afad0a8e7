import json
import logging
from pathlib import Path

import pytest
from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Metrics, Model

from components.dataset.facts import CLASS_NAMES
from components.evaluate import gate
from components.evaluate.component import evaluate
from tests import local_runner


def test_the_step_returns_the_verdict_and_writes_every_output(
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
            raw=Dataset(metadata={"digests": {}, "verified": True}),
            champion=Model(uri=""),
            test_records=Dataset(uri=str(test_records)),
            metrics=metrics,
            confusion_matrix=matrix,
            report=report,
            evaluation=evaluation,
        )
    assert passed is True
    assert metrics.metadata["accuracy"] == 0.9
    assert metrics.metadata.keys() == {"accuracy", "loss", "macro_f1"}
    assert json.loads((tmp_path / "metrics").read_text()) == metrics.metadata
    assert evaluation.metadata == {"passed": True, "reason": caplog.messages[-1]}
    found = json.loads((tmp_path / "evaluation").read_text())
    assert found["accuracy"] == 0.9
    assert [rule["name"] for rule in found["verdict"]["rules"]] == list(gate.RULES)
    shown = [
        entry["displayName"] for entry in matrix.metadata["confusionMatrix"]["annotationSpecs"]
    ]
    assert shown == list(CLASS_NAMES)
    assert json.loads((tmp_path / "matrix").read_text())["class_names"] == list(CLASS_NAMES)
    assert (tmp_path / "report").read_text().startswith("<!doctype html>")


def test_both_verdicts_decide_a_condition_of_the_local_runner(
    test_records: Path, history: Path, wrong_on_10: Path, tmp_path: Path
) -> None:
    @dsl.component(base_image="python:3.11-slim")
    def leave_a_trace(path: str) -> None:
        from pathlib import Path

        Path(path).touch()

    @dsl.pipeline(name="gate")
    def gate(min_accuracy: float, trace: str) -> None:
        verdict = evaluate(
            model=dsl.importer(artifact_uri=str(wrong_on_10), artifact_class=Model).output,
            history=dsl.importer(artifact_uri=str(history), artifact_class=Artifact).output,
            raw=dsl.importer(artifact_uri="gs://bucket/raw", artifact_class=Dataset).output,
            champion=dsl.importer(artifact_uri="/nowhere", artifact_class=Model).output,
            test_records=dsl.importer(
                artifact_uri=str(test_records), artifact_class=Dataset
            ).output,
            min_accuracy=min_accuracy,
        )
        with dsl.If(verdict.outputs["Output"] == True):  # noqa: E712
            leave_a_trace(path=trace)

    run = local_runner.runnable(gate, tmp_path)
    for min_accuracy, expected in ((0.9, True), (0.91, False)):
        trace = tmp_path / f"trace-{min_accuracy}"
        local_runner.start(tmp_path / f"run-{min_accuracy}")
        run(min_accuracy=min_accuracy, trace=str(trace))
        assert trace.exists() is expected
