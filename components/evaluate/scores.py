"""How good predictions are: accuracy, loss, per-class figures, calibration and mistakes."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.facts import CLASS_NAMES, NUM_CLASSES
from components.evaluate.mistakes import confident_mistakes, confused_pairs
from components.evaluate.uncertainty import accuracy_interval

LEAST_PROBABILITY: Final = 1e-7
"""Floor of a probability in the loss, so that a certain mistake stays finite; Keras' epsilon."""
BINS: Final = 10


@dataclass(frozen=True)
class Scores:
    """Figures of one model on one set of examples; all values are plain JSON.

    Attributes:
        examples: Number of examples.
        correct: Examples classified correctly.
        accuracy: Their share, 0 to 1.
        accuracy_interval: Within which it is with 95 % confidence, for other examples alike.
        loss: Mean cross-entropy in nats.
        macro_f1: Mean of the classes' F1.
        per_class: For each class: class, precision, recall, f1, support.
        confusion_matrix: [10][10] counts, a row for each label, a column for each prediction.
        calibration: For each bin of confidence: low, high, examples, confidence, accuracy (the
            last two None in an empty bin).
        calibration_error: Mean distance of confidence and accuracy over the examples.
        mistakes: The most confident ones, as ``mistakes.confident_mistakes`` returns them.
        confused: The most frequent ones, as ``mistakes.confused_pairs`` returns them.
    """

    examples: int
    correct: int
    accuracy: float
    accuracy_interval: list[float]
    loss: float
    macro_f1: float
    per_class: list[dict[str, Any]]
    confusion_matrix: list[list[int]]
    calibration: list[dict[str, Any]]
    calibration_error: float
    mistakes: list[dict[str, Any]]
    confused: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"accuracy {self.accuracy:.4f}, loss {self.loss:.4f} on {self.examples:,} examples"


def score(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> Scores:
    """Scores predictions against labels.

    Args:
        probabilities: float32 [n, 10], finite, n at least 1.
        labels: uint8 [n], each 0 to 9.
    """
    predicted = probabilities.argmax(axis=1)
    right = predicted == labels
    matrix = confusion(labels, predicted)
    classes = per_class(matrix)
    bins = calibration(probabilities.max(axis=1), right)
    gaps = [
        entry["examples"] * abs(entry["confidence"] - entry["accuracy"])
        for entry in bins
        if entry["examples"]
    ]
    return Scores(
        examples=len(labels),
        correct=int(right.sum()),
        accuracy=float(right.mean()),
        accuracy_interval=list(accuracy_interval(int(right.sum()), len(labels))),
        loss=cross_entropy(probabilities, labels),
        macro_f1=float(np.mean([entry["f1"] for entry in classes])),
        per_class=classes,
        confusion_matrix=matrix.tolist(),
        calibration=bins,
        calibration_error=sum(gaps) / len(labels),
        mistakes=confident_mistakes(probabilities, labels),
        confused=confused_pairs(probabilities, labels, matrix),
    )


def cross_entropy(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean of -log p(label) in nats, p at least 1e-7."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, LEAST_PROBABILITY, 1.0)).mean())


def confusion(labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.int64]:
    """Counts, int64 [10, 10]: a row for each label, a column for each prediction."""
    cells = labels.astype(np.int64) * NUM_CLASSES + predicted
    return np.bincount(cells, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)


def per_class(matrix: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class; 0 where nothing is to be divided."""
    hits = np.diag(matrix).astype(np.float64)
    support, claimed = matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall = _ratio(hits, claimed), _ratio(hits, support)
    f1 = _ratio(2 * hits, support + claimed)
    columns = zip(CLASS_NAMES, precision, recall, f1, support, strict=True)
    return [
        {
            "class": name,
            "precision": float(p),
            "recall": float(r),
            "f1": float(f),
            "support": int(n),
        }
        for name, p, r, f, n in columns
    ]


def calibration(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Confidence against accuracy in ten bins of equal width.

    Args:
        confidence: float32 [n], the highest probability of each example.
        right: bool [n], whether the prediction was right.
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


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    quotient = np.zeros(len(numerator), np.float64)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
