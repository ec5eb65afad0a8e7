import json
from typing import Any

import numpy as np
import pytest

from components.dataset.facts import CLASS_NAMES
from components.evaluate import scores
from components.upload import vertex_evaluation

GENERATOR = np.random.default_rng(7)
LABELS = GENERATOR.integers(0, 10, 500).astype(np.uint8)
LOGITS = GENERATOR.normal(size=(500, 10)) + 2.0 * np.eye(10)[LABELS]
PROBABILITIES = (np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    found = scores.score(PROBABILITIES, LABELS)
    evaluation = json.loads(json.dumps({**found, "class_names": list(CLASS_NAMES)}))
    return vertex_evaluation.classification_metrics(evaluation)


def test_at_threshold_zero_precision_and_recall_are_the_accuracy(metrics: dict[str, Any]) -> None:
    first = metrics["confidenceMetrics"][0]
    accuracy = (PROBABILITIES.argmax(1) == LABELS).mean()
    assert first["confidenceThreshold"] == 0
    for name in ("precision", "recall", "f1Score", "f1ScoreMicro", "precisionAt1", "recallAt1"):
        assert first[name] == pytest.approx(accuracy), name


def test_each_threshold_counts_the_predictions_that_are_at_least_so_confident(
    metrics: dict[str, Any],
) -> None:
    confidence, right = PROBABILITIES.max(1), PROBABILITIES.argmax(1) == LABELS
    entries = metrics["confidenceMetrics"]
    assert [entry["confidenceThreshold"] for entry in entries] == [i / 10 for i in range(10)]
    for entry in entries:
        claimed = confidence >= entry["confidenceThreshold"]
        hits = int((claimed & right).sum())
        assert entry["precision"] == pytest.approx(hits / claimed.sum())
        assert entry["recall"] == pytest.approx(hits / 500)
        counts = [entry[f"{kind}Count"] for kind in ("truePositive", "falsePositive",
                                                     "falseNegative", "trueNegative")]  # fmt: skip
        wrong = int(claimed.sum()) - hits
        assert counts == [hits, wrong, 500 - hits, 4500 - wrong]
        assert entry["falsePositiveRate"] == pytest.approx(wrong / 4500)


def test_a_threshold_that_no_prediction_reaches_is_left_out() -> None:
    unsure = np.full((20, 10), 0.05, np.float32)
    unsure[:, 3] = 0.55
    found = scores.score(unsure, np.full(20, 3, np.uint8))
    entries = list(
        vertex_evaluation.confidence_metrics({**found, "class_names": list(CLASS_NAMES)})
    )
    assert [entry["confidenceThreshold"] for entry in entries] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert {entry["recall"] for entry in entries} == {1.0}


def test_the_confusion_matrix_has_a_row_for_each_named_label(metrics: dict[str, Any]) -> None:
    matrix = metrics["confusionMatrix"]
    assert [spec["displayName"] for spec in matrix["annotationSpecs"]] == list(CLASS_NAMES)
    assert len({spec["id"] for spec in matrix["annotationSpecs"]}) == 10
    assert np.sum(matrix["rows"], axis=1).tolist() == np.bincount(LABELS, minlength=10).tolist()
    assert np.trace(matrix["rows"]) == metrics["confidenceMetrics"][0]["truePositiveCount"]
