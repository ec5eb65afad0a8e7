"""The temperature that makes a trained network as sure as it is right."""

import math
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .splits import Examples

BATCH: Final = 1000
LIMIT: Final = 20.0
"""Of a temperature and of its inverse. A network that is always right would have none."""
HALVINGS: Final = 40


def temperature_of(model: keras.Model, examples: Examples) -> float:
    """The temperature of a model that gives float32 logits [N, 10], fitted on ``examples``."""
    score = tf.function(lambda images: model(images, training=False))
    starts = range(0, len(examples.labels), BATCH)
    logits = [score(examples.images[start : start + BATCH]).numpy() for start in starts]
    return fit_temperature(np.concatenate(logits), examples.labels)


def fit_temperature(logits: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """By what to divide logits [N, 10] so that their softmax has the least cross-entropy.

    It leaves the accuracy as it is (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    logits = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    of_labels = logits[np.arange(len(labels)), labels].mean()
    low, high = 1 / LIMIT, LIMIT
    for _ in range(HALVINGS):
        # The loss is convex in the inverse of the temperature; this is the sign of its slope.
        inverse = math.sqrt(low * high)
        weights = np.exp(inverse * logits)
        expected = ((weights * logits).sum(axis=1) / weights.sum(axis=1)).mean()
        low, high = (low, inverse) if expected > of_labels else (inverse, high)
    return 1 / math.sqrt(low * high)
