"""Which examples a model gets wrong, and how sure it is of its answers.

Probabilities are float32 [n, classes], labels uint8 [n]; a confusion matrix is int64 [classes,
classes] with a row for each label and a column for each prediction.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MISTAKES: Final = 24
PAIRS: Final = 5
SHOWN: Final = 6
"""Examples of each kind in a pair of classes."""

Example = dict[str, Any]
"""index, label, predicted, probability (of the prediction), label_probability."""


def confident_mistakes(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8]
) -> list[Example]:
    """The wrong predictions of highest probability, at most 24; ties by index."""
    wrong = probabilities.argmax(axis=1) != labels
    return _surest(wrong, probabilities, labels, MISTAKES)


def confused_pairs(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], matrix: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The five pairs of classes most often taken for each other; ties by class.

    Returns:
        For each pair: count, and as sides both directions, the more frequent one first. A side
        has label, predicted, count, share of the label's examples, and of its surest examples at
        most six that were mistaken and six that were recognised.
    """
    both = matrix + matrix.T
    pairs = [(a, b) for a, b in np.argwhere(np.triu(both, 1)).tolist()]
    pairs.sort(key=lambda pair: -both[pair])
    predicted = probabilities.argmax(axis=1)

    def side(label: int, other: int) -> dict[str, Any]:
        count = int(matrix[label, other])
        mine = labels == label
        return {
            "label": label,
            "predicted": other,
            "count": count,
            "share": count / max(int(matrix[label].sum()), 1),
            "mistaken": _surest(mine & (predicted == other), probabilities, labels, SHOWN),
            "recognised": _surest(mine & (predicted == label), probabilities, labels, SHOWN),
        }

    return [
        {
            "count": int(both[pair]),
            "sides": sorted((side(*pair), side(*pair[::-1])), key=lambda side: -side["count"]),
        }
        for pair in pairs[:PAIRS]
    ]


def shown(mistakes: Iterable[Example], confused: Iterable[dict[str, Any]]) -> list[int]:
    """The indices of all examples that these mistakes and pairs name, each once."""
    sides = [side for pair in confused for side in pair["sides"]]
    named = [example for side in sides for example in side["mistaken"] + side["recognised"]]
    return sorted({example["index"] for example in [*mistakes, *named]})


def _surest(
    chosen: NDArray[np.bool_],
    probabilities: NDArray[np.float32],
    labels: NDArray[np.uint8],
    most: int,
) -> list[Example]:
    indices = np.flatnonzero(chosen)
    order = np.argsort(-probabilities[indices].max(axis=1), kind="stable")[:most]
    return [
        {
            "index": int(i),
            "label": int(labels[i]),
            "predicted": int(probabilities[i].argmax()),
            "probability": float(probabilities[i].max()),
            "label_probability": float(probabilities[i, labels[i]]),
        }
        for i in indices[order]
    ]
