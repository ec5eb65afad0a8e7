import math

import numpy as np
import pytest

from components.evaluate import scores

LABELS = np.array([0, 0, 0, 1, 1, 2], np.uint8)
PREDICTED = [0, 0, 1, 1, 2, 2]
SURE = [0.9, 0.6, 0.8, 0.5, 0.99, 1.0]


def probabilities() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.zeros((6, 10), np.float32)
    for row, (predicted, sure) in enumerate(zip(PREDICTED, SURE, strict=True)):
        rows[row] = (1 - sure) / 9
        rows[row, predicted] = sure
    return rows


def test_accuracy_counts_the_most_probable_class() -> None:
    found = scores.score(probabilities(), LABELS)
    assert (found.examples, found.correct) == (6, 4)
    assert found.accuracy == pytest.approx(4 / 6)


def test_loss_is_the_mean_negative_log_probability_of_the_label() -> None:
    chosen = [0.9, 0.6, 0.2 / 9, 0.5, 0.01 / 9, 1.0]
    expected = -sum(math.log(p) for p in chosen) / 6
    assert scores.score(probabilities(), LABELS).loss == pytest.approx(expected, rel=1e-5)


def test_a_certain_mistake_has_a_finite_loss() -> None:
    certain = np.eye(10, dtype=np.float32)[[1]]
    assert scores.cross_entropy(certain, np.array([0], np.uint8)) == pytest.approx(-math.log(1e-7))


def test_rows_of_the_confusion_matrix_are_labels() -> None:
    matrix = scores.score(probabilities(), LABELS).confusion_matrix
    assert matrix[0][:3] == [2, 1, 0]
    assert matrix[1][:3] == [0, 1, 1]
    assert sum(map(sum, matrix)) == 6


def test_precision_recall_and_f1_are_those_of_the_definition() -> None:
    second = scores.score(probabilities(), LABELS).per_class[1]
    assert second["class"] == "Trouser"
    assert second["support"] == 2
    assert second["precision"] == second["recall"] == second["f1"] == 0.5
    first = scores.score(probabilities(), LABELS).per_class[0]
    assert first["precision"] == 1.0
    assert first["recall"] == pytest.approx(2 / 3)
    assert first["f1"] == pytest.approx(0.8)


def test_a_class_that_never_occurs_scores_zero_and_counts_in_the_macro_mean() -> None:
    found = scores.score(probabilities(), LABELS)
    assert found.per_class[9] == {
        "class": "Ankle boot",
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "support": 0,
    }
    assert found.macro_f1 == pytest.approx((0.8 + 0.5 + 2 / 3) / 10)


def test_calibration_compares_confidence_with_accuracy_in_each_bin() -> None:
    found = scores.score(probabilities(), LABELS)
    last = found.calibration[-1]
    assert (last["low"], last["high"], last["examples"]) == (0.9, 1.0, 2)
    assert last["confidence"] == pytest.approx(0.995)
    assert last["accuracy"] == pytest.approx(0.5)
    assert found.calibration[0] == {
        "low": 0.0,
        "high": 0.1,
        "examples": 0,
        "confidence": None,
        "accuracy": None,
    }
    assert sum(entry["examples"] for entry in found.calibration) == 6


def test_calibration_error_weighs_the_bins_by_their_examples() -> None:
    confidence = np.full(4, 0.75, np.float32)
    right = np.array([True, True, True, False])
    assert scores.calibration(confidence, right)[7]["accuracy"] == 0.75
    half = np.full((2, 10), 0.5 / 9, np.float32)
    half[:, 0] = 0.5
    assert scores.score(half, np.array([0, 0], np.uint8)).calibration_error == pytest.approx(0.5)
