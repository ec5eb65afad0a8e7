import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluate import scores
from tests.idx_files import FASHION

LABELS = np.array([0, 0, 0, 1, 1, 2], np.uint8)
PREDICTED = [0, 0, 1, 1, 2, 2]
SURE = [0.9, 0.6, 0.8, 0.5, 0.99, 1.0]


def answers(predicted: list[int], sure: list[float]) -> NDArray[np.float32]:
    """Probabilities [n, 10] with one sure class; the others share the rest."""
    rows = np.zeros((len(predicted), 10), np.float32)
    for row, (label, probability) in enumerate(zip(predicted, sure, strict=True)):
        rows[row] = (1 - probability) / 9
        rows[row, label] = probability
    return rows


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return scores.score(answers(PREDICTED, SURE), LABELS, FASHION.classes)


def test_accuracy_counts_the_most_probable_class(found: dict[str, Any]) -> None:
    assert (found["examples"], found["correct"]) == (6, 4)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["confidence"] == pytest.approx(sum(SURE) / 6)


def test_loss_is_the_mean_negative_log_probability_of_the_label(found: dict[str, Any]) -> None:
    chosen = [0.9, 0.6, 0.2 / 9, 0.5, 0.01 / 9, 1.0]
    assert found["loss"] == pytest.approx(-sum(math.log(p) for p in chosen) / 6, rel=1e-5)
    certain = np.eye(10, dtype=np.float32)[[1]]
    assert scores.cross_entropy(certain, np.array([0], np.uint8)) == pytest.approx(-math.log(1e-7))


def test_rows_of_the_confusion_matrix_are_labels(found: dict[str, Any]) -> None:
    matrix = found["confusion_matrix"]
    assert (matrix[0][:3], matrix[1][:3]) == ([2, 1, 0], [0, 1, 1])
    assert sum(map(sum, matrix)) == 6


def test_precision_recall_and_f1_follow_their_definitions(found: dict[str, Any]) -> None:
    first, second = found["per_class"][:2]
    assert second == {"class": "Trouser", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert [first[name] for name in ("precision", "recall", "f1")] == pytest.approx([1, 2 / 3, 0.8])


def test_a_class_without_examples_has_no_figures_and_does_not_count_in_the_mean(
    found: dict[str, Any],
) -> None:
    never = {"class": "Ankle boot", "precision": None, "recall": None, "f1": None, "support": 0}
    assert found["per_class"][9] == never
    assert found["macro_f1"] == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    labels = np.repeat(np.arange(5), 20).astype(np.uint8)
    perfect = scores.score(np.eye(10, dtype=np.float32)[labels], labels, FASHION.classes)
    assert perfect["macro_f1"] == 1


def test_a_class_that_is_never_predicted_has_no_precision_and_counts_as_zero() -> None:
    found = scores.score(answers([0, 0], [0.9, 0.9]), np.array([0, 1], np.uint8), FASHION.classes)
    never = {"class": "Trouser", "precision": None, "recall": 0.0, "f1": 0.0, "support": 1}
    assert found["per_class"][1] == never
    assert found["macro_f1"] == pytest.approx(1 / 3)


def test_calibration_compares_confidence_with_accuracy_in_each_bin(
    found: dict[str, Any],
) -> None:
    bins = found["calibration"]
    last = {"low": 0.9, "high": 1.0, "examples": 2, "confidence": 0.995, "accuracy": 0.5}
    assert bins[-1] == pytest.approx(last)
    empty = {"low": 0.0, "high": 0.1, "examples": 0, "confidence": None, "accuracy": None}
    assert bins[0] == empty
    assert sum(entry["examples"] for entry in bins) == 6
    half = scores.certainty(answers([0, 0, 0], [0.5, 0.5, 0.9]), np.zeros(3, np.uint8))
    assert half["calibration_error"] == pytest.approx((2 * 0.5 + 0.1) / 3)


def test_without_its_temperature_a_model_is_as_sure_as_its_logits() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (50, 10))
    labels = logits.argmax(axis=1).astype(np.uint8)

    def softmax(values: Any) -> Any:
        powers = np.exp(values)
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    before = scores.before_calibration(softmax(logits / 0.7), labels, 0.7)
    expected = scores.certainty(softmax(logits), labels)
    assert before.pop("temperature") == 0.7
    assert before.keys() == expected.keys()
    assert before["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    assert before["calibration_error"] == pytest.approx(expected["calibration_error"], abs=1e-5)


def test_at_the_ends_of_the_interval_the_accuracy_is_1_96_standard_deviations_away() -> None:
    for correct, examples in ((9000, 10_000), (3, 10)):
        for end in scores.accuracy_interval(correct, examples):
            deviation = math.sqrt(end * (1 - end) / examples)
            assert abs(correct / examples - end) / deviation == pytest.approx(1.96, abs=1e-4)
    assert scores.accuracy_interval(10, 10)[1] == pytest.approx(1.0)
    assert scores.accuracy_interval(0, 10)[0] == pytest.approx(0.0)


def test_chance_is_the_two_sided_sign_test() -> None:
    assert scores.chance(8, 2) == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert scores.chance(2, 8) == scores.chance(8, 2)
    assert scores.chance(7, 7) == scores.chance(0, 0) == 1.0
    normal = math.erfc((5100 - 4900 - 1) / math.sqrt(10_000) / math.sqrt(2))
    assert scores.chance(5100, 4900) == pytest.approx(normal, rel=1e-3)
