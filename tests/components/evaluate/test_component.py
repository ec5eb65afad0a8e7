import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Metrics, Model

from components.dataset.description import Description
from components.evaluate import gate
from components.evaluate.component import evaluate
from tests.components.evaluate.conftest import write_records
from tests.idx_files import FASHION


def run(
    place: Path,
    model: Path,
    history: Path,
    test_records: Path,
    champion: Model | None = None,
    **thresholds: float,
) -> tuple[bool, Metrics, ClassificationMetrics, Artifact]:
    """The step in this process; its answer and its artifacts, whose files are in ``place``."""
    metrics = Metrics(uri=str(place / "metrics"))
    matrix = ClassificationMetrics(uri=str(place / "matrix"))
    evaluation = Artifact(uri=str(place / "evaluation"))
    passed = evaluate.python_func(
        model=Model(uri=str(model)),
        history=Artifact(uri=str(history)),
        champion=champion or Model(uri=""),
        test_records=Dataset(uri=str(test_records)),
        metrics=metrics,
        confusion_matrix=matrix,
        report=HTML(uri=str(place / "report")),
        evaluation=evaluation,
        **thresholds,
    )
    return passed, metrics, matrix, evaluation


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
    with caplog.at_level(logging.INFO):
        passed, metrics, matrix, evaluation = run(
            tmp_path, wrong_on_10, history, test_records, min_accuracy=min_accuracy
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


@pytest.mark.parametrize(
    ("form", "examples"),
    [
        ((12, 20), [5] * 4),
        ((32, 32, 3), [5] * 3),
        ((28, 28), [2] * 47),
        ((8, 8), [1] * 200),
        ((28, 28), [4, 0, 4]),
        ((28, 28), [8, 1, 8]),
    ],
)
def test_data_of_any_form_is_scored_and_shown_by_its_description(
    form: tuple[int, ...],
    examples: list[int],
    make_model: Callable[..., Path],
    history: Path,
    tmp_path: Path,
) -> None:
    names = tuple(f"class {number}" for number in range(len(examples)))
    counts = dict.fromkeys(("train", "validation", "test"), tuple(examples))
    height, width, channels = (*form, 1)[:3]
    about = Description("things", names, height, width, channels, counts=counts)
    labels = np.repeat(np.arange(len(names)), examples).astype(np.uint8)
    records = write_records(tmp_path, labels, about)
    place = tmp_path / "outputs"
    place.mkdir()
    passed, metrics, matrix, _ = run(
        place, make_model(1, about=about), history, records, min_accuracy=0, min_recall=0.01
    )
    accuracy, worst = (len(labels) - 1) / len(labels), 1 - 1 / examples[0]
    assert metrics.metadata["accuracy"] == accuracy
    assert 0 < metrics.metadata["macro_f1"] < 1
    assert passed is (worst > 0)
    found = json.loads((place / "evaluation").read_text(), parse_constant=pytest.fail)
    assert [entry["support"] for entry in found["per_class"]] == examples
    assert found["per_class"][0]["recall"] == worst
    for entry in found["per_class"]:
        assert (entry["recall"] is None) is (entry["f1"] is None) is (not entry["support"])
    assert found["class_names"] == json.loads((place / "matrix").read_text())["class_names"]
    assert found["dataset"]["counts"]["train"] == examples
    assert ("confusionMatrix" in matrix.metadata) is (len(names) <= 100)
    assert "<title>things: accuracy" in (place / "report").read_text()


@pytest.mark.parametrize(("facts", "outcome"), [({}, "passed"), ({"version": "3"}, "not passed")])
def test_a_file_beside_the_champion_says_what_it_is(
    facts: dict[str, str],
    outcome: str,
    test_records: Path,
    history: Path,
    wrong_on_10: Path,
    make_model: Callable[..., Path],
    tmp_path: Path,
) -> None:
    champion = make_model(5)
    (champion / "champion.json").write_text(json.dumps(facts))
    # What a backend adds is no version.
    metadata = {"store_session_info": "{}", "version": ""}
    place = tmp_path / "outputs"
    place.mkdir()
    run(
        place,
        wrong_on_10,
        history,
        test_records,
        champion=Model(uri=str(champion), metadata=metadata),
    )
    found = json.loads((place / "evaluation").read_text())
    assert found["verdict"]["outcome"] == outcome
    assert (found["champion"] or {}).get("version") == facts.get("version")
