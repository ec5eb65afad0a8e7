"""The temperature that makes a trained network as sure as it is right."""

import math
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .splits import Examples

LIMIT: Final = 20.0
"""Of a temperature and of its inverse."""
HALVINGS: Final = 40


def temperature_of(model: keras.Model, examples: Examples) -> float:
    """The temperature of a model that gives float32 logits [N, classes], fitted on ``examples``."""
    score = tf.function(lambda images: model(images, training=False))
    logits = [score(images).numpy() for images, _ in examples.batches()]
    return fit_temperature(np.concatenate(logits), examples.labels)


def fit_temperature(logits: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """By what to divide logits [N, classes] so that their softmax has the least cross-entropy.

    Few labels do not prove that a network is always right: with Laplace's rule of succession, one
    more of N labels may be another one, so that share of each target is spread over all classes. It
    leaves the accuracy as it is (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    logits = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    share = 1 / (len(labels) + 2)
    of_labels = logits[np.arange(len(labels)), labels].mean()
    of_targets = (1 - share) * of_labels + share * logits.mean()
    low, high = 1 / LIMIT, LIMIT
    for _ in range(HALVINGS):
        # The loss is convex in the inverse of the temperature; this is the sign of its slope.
        inverse = math.sqrt(low * high)
        weights = np.exp(inverse * logits)
        expected = ((weights * logits).sum(axis=1) / weights.sum(axis=1)).mean()
        low, high = (low, inverse) if expected > of_targets else (inverse, high)
    return 1 / math.sqrt(low * high)
