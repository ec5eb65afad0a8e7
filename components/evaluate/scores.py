"""How good predictions are: accuracy, loss, figures by class, calibration, and how sure that is."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEAST_PROBABILITY: Final = 1e-7
"""Floor of a probability in the loss, so that a certain mistake stays finite; Keras' epsilon."""
BINS: Final = 10
SCORE_95: Final = 1.959964
"""Standard deviations of a normal distribution around its mean that hold 95 % of it."""


def score(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], classes: Sequence[str]
) -> dict[str, Any]:
    """Scores predictions, finite float32 [n, classes], against labels, uint8 [n], n at least 1.

    Args:
        probabilities: Of each class for each example.
        labels: The true classes.
        classes: Their names.

    Returns:
        Plain JSON values:
            examples, correct: Counts.
            accuracy: Share of correct examples, 0 to 1.
            accuracy_interval: Its 95 % confidence interval for other examples of the same kind.
            macro_f1: Mean of the F1 of the classes that have examples.
            per_class: See ``per_class``.
            confusion_matrix: See ``confusion``.
            And what ``certainty`` returns.
    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    matrix = confusion(labels, predicted, len(classes))
    figures = per_class(matrix, classes)
    return {
        "examples": len(labels),
        "correct": correct,
        "accuracy": correct / len(labels),
        "accuracy_interval": list(accuracy_interval(correct, len(labels))),
        "macro_f1": float(np.mean([entry["f1"] for entry in figures if entry["support"]])),
        "per_class": figures,
        "confusion_matrix": matrix.tolist(),
        **certainty(probabilities, labels),
    }


def certainty(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> dict[str, Any]:
    """How good the probabilities are, whatever class is predicted.

    Returns:
        loss: Mean cross-entropy in nats.
        confidence: Mean probability of the predicted classes.
        calibration: See ``calibration``.
        calibration_error: Mean distance between confidence and accuracy over the examples.
    """
    confidence = probabilities.max(axis=1)
    bins = calibration(confidence, probabilities.argmax(axis=1) == labels)
    gaps = (b["examples"] * abs(b["confidence"] - b["accuracy"]) for b in bins if b["examples"])
    return {
        "loss": cross_entropy(probabilities, labels),
        "confidence": float(confidence.mean(dtype=np.float64)),
        "calibration": bins,
        "calibration_error": sum(gaps) / len(labels),
    }


def before_calibration(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], temperature: float
) -> dict[str, Any]:
    """What a model's temperature has changed.

    Returns:
        temperature, and what ``certainty`` would return without it.
    """
    powers = probabilities.astype(np.float64) ** temperature
    before = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return {"temperature": temperature, **certainty(before, labels)}


def cross_entropy(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean of -log p(label) in nats, p at least 1e-7."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, LEAST_PROBABILITY, 1.0)).mean())


def confusion(labels: NDArray[Any], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Counts, int64 [classes, classes]: a row for each label, a column for each prediction."""
    cells = labels.astype(np.int64) * classes + predicted
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def per_class(matrix: NDArray[np.int64], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Class, precision, recall, f1 and support of each class.

    All three are None for a class without examples, precision also for a class that is never
    predicted.
    """
    counts = np.stack([np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)], axis=1).tolist()
    return [
        {
            "class": name,
            "precision": hits / claimed if support and claimed else None,
            "recall": hits / support if support else None,
            "f1": 2 * hits / (support + claimed) if support else None,
            "support": support,
        }
        for name, (hits, support, claimed) in zip(classes, counts, strict=True)
    ]


def calibration(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Confidence, float32 [n], against accuracy in ten bins of equal width.

    Returns:
        Of each bin: low, high, examples, confidence, accuracy; the last two None without examples.
    """
    index = np.minimum((confidence.astype(np.float64) * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(index, minlength=BINS)
    confident = np.bincount(index, weights=confidence.astype(np.float64), minlength=BINS)
    hits = np.bincount(index, weights=right, minlength=BINS)
    return [
        {
            "low": i / BINS,
            "high": (i + 1) / BINS,
            "examples": int(n),
            "confidence": float(confident[i] / n) if n else None,
            "accuracy": float(hits[i] / n) if n else None,
        }
        for i, n in enumerate(counts)
    ]


def accuracy_interval(correct: int, examples: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of an accuracy, 0 to 1."""
    share, weight = correct / examples, SCORE_95**2 / examples
    middle = share + weight / 2
    half = SCORE_95 * math.sqrt(share * (1 - share) / examples + weight / (4 * examples))
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


def chance(gained: int, lost: int) -> float:
    """How often two equally good models would differ at least this much: the exact sign test's p.

    Only the examples count that exactly one of the two models gets right: the new one (gained) or
    the old one (lost). This is McNemar's test.
    """
    trials = gained + lost
    ways = tail = 1
    for fewer in range(min(gained, lost)):
        ways = ways * (trials - fewer) // (fewer + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << trials))
