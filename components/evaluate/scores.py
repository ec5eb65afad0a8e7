"""How good predictions are: accuracy, loss, figures by class, calibration, and how sure that is."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.facts import CLASS_NAMES, NUM_CLASSES

LEAST_PROBABILITY: Final = 1e-7
"""Floor of a probability in the loss, so that a certain mistake stays finite; Keras' epsilon."""
BINS: Final = 10
SCORE_95: Final = 1.959964
"""Standard deviations of a normal distribution around its mean that hold 95 % of it."""


def score(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> dict[str, Any]:
    """Scores predictions, finite float32 [n, classes], against labels, uint8 [n], n at least 1.

    Returns:
        Plain JSON values:
            examples, correct: Counts.
            accuracy: Share of correct examples, 0 to 1.
            accuracy_interval: Its 95 % confidence interval for other examples of the same kind.
            loss: Mean cross-entropy in nats.
            macro_f1: Mean of the classes' F1.
            per_class: See ``per_class``.
            confusion_matrix: See ``confusion``.
            confidence: Mean probability of the predicted classes.
            calibration: See ``calibration``.
            calibration_error: Mean distance between confidence and accuracy over the examples.
    """
    predicted = probabilities.argmax(axis=1)
    right = predicted == labels
    confidence = probabilities.max(axis=1)
    matrix = confusion(labels, predicted)
    classes = per_class(matrix)
    bins = calibration(confidence, right)
    gaps = (b["examples"] * abs(b["confidence"] - b["accuracy"]) for b in bins if b["examples"])
    return {
        "examples": len(labels),
        "correct": int(right.sum()),
        "accuracy": float(right.mean()),
        "accuracy_interval": list(accuracy_interval(int(right.sum()), len(labels))),
        "loss": cross_entropy(probabilities, labels),
        "macro_f1": float(np.mean([entry["f1"] for entry in classes])),
        "per_class": classes,
        "confusion_matrix": matrix.tolist(),
        "confidence": float(confidence.mean(dtype=np.float64)),
        "calibration": bins,
        "calibration_error": sum(gaps) / len(labels),
    }


def before_calibration(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], temperature: float
) -> dict[str, Any]:
    """What a model's temperature has changed.

    Returns:
        temperature, and of ``score`` what the model would reach without it: loss, confidence,
        calibration, calibration_error.
    """
    powers = probabilities.astype(np.float64) ** temperature
    found = score((powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels)
    changed = ("loss", "confidence", "calibration", "calibration_error")
    return {"temperature": temperature, **{name: found[name] for name in changed}}


def cross_entropy(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean of -log p(label) in nats, p at least 1e-7."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, LEAST_PROBABILITY, 1.0)).mean())


def confusion(labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.int64]:
    """Counts, int64 [classes, classes]: a row for each label, a column for each prediction."""
    cells = labels.astype(np.int64) * NUM_CLASSES + predicted
    return np.bincount(cells, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)


def per_class(matrix: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Class, precision, recall, f1 and support of each class; 0 instead of a division by 0."""
    hits = np.diag(matrix).astype(np.float64)
    support, claimed = matrix.sum(axis=1), matrix.sum(axis=0)

    def ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> list[float]:
        quotient = np.zeros(len(numerator), np.float64)
        np.divide(numerator, denominator, out=quotient, where=denominator > 0)
        return [float(value) for value in quotient]

    columns = {
        "class": CLASS_NAMES,
        "precision": ratio(hits, claimed),
        "recall": ratio(hits, support),
        "f1": ratio(2 * hits, support + claimed),
        "support": [int(count) for count in support],
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
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
