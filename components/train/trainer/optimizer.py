"""The learning rate schedule, and the optimizers to choose from."""

from collections.abc import Callable
from typing import Any, Final

import keras
import tensorflow as tf

WARMUP: Final = 0.2
"""Share of the steps in which the learning rate rises."""
MUON_MOMENTUM: Final = 0.6
MUON_MIN_CHANNELS: Final = 16
"""Kernels with fewer input channels are too flat to orthogonalize."""
NEWTON_SCHULZ_STEPS: Final = 4
NEWTON_SCHULZ: Final = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration, Keller Jordan's, as in ``keras.optimizers.Muon``."""
SGD_MOMENTUM: Final = 0.85
SGD_RATIO: Final = 0.4
"""Learning rate of the SGD variables, relative to the rate of the kernels."""


class Triangle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that rises linearly to its peak, then falls linearly to zero."""

    def __init__(self, peak: float, steps: int) -> None:
        """Args: ``peak`` is reached after 20 % of ``steps``, zero right after the last one."""
        self.peak = peak
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """The learning rate of ``step``, counted from 0."""
        step = tf.cast(step, tf.float32)
        rising = (step + 1) / max(1.0, WARMUP * self.steps)
        falling = (self.steps - step) / (self.steps * (1 - WARMUP))
        return self.peak * tf.clip_by_value(tf.minimum(rising, falling), 0.0, 1.0)


class MuonSGD(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Muon for convolution kernels with 16 or more input channels, Nesterov SGD for the rest.

    Muon (Keller Jordan, 2024) replaces the momentum, a matrix with a column for each filter, by
    the nearest orthogonal matrix. ``keras.optimizers.Muon`` does so for 2-D variables only and
    leaves kernels to Adam. Each kernel is kept at the norm at which its filters have length 1:
    batch normalization makes the network insensitive to that scale, and the learning rate is then
    the angle by which a filter turns.
    """

    def build(self, variables: list[Any]) -> None:
        """Makes a momentum for each variable."""
        if not self.built:
            super().build(variables)
            self.momentums = [
                self.add_variable_from_reference(variable, name="momentum")
                for variable in variables
            ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Moves one variable."""
        momentum = self.momentums[self._get_variable_index(variable)]
        if len(variable.shape) == 4 and variable.shape[2] >= MUON_MIN_CHANNELS:
            velocity = MUON_MOMENTUM * momentum + gradient
            update = orthogonalize(gradient + MUON_MOMENTUM * velocity)
            kernel = tf.convert_to_tensor(variable)
            kernel *= tf.sqrt(float(variable.shape[-1])) / (tf.norm(kernel) + 1e-7)
            self.assign(variable, kernel - learning_rate * update)
        else:
            velocity = SGD_MOMENTUM * momentum + gradient
            update = gradient + SGD_MOMENTUM * velocity
            self.assign_sub(variable, SGD_RATIO * learning_rate * update)
        self.assign(momentum, velocity)


def orthogonalize(kernel: Any) -> Any:
    """The nearly orthogonal kernel nearest to ``kernel``, float32 [H, W, in, out].

    Newton-Schulz iteration on the kernel as a matrix [H * W * in, out]. Each step multiplies the
    matrix by a polynomial of its Gram matrix, so it is enough to iterate on the small matrix and
    to multiply the large one by the product at the end.
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    tall = matrix.shape[0] > matrix.shape[1]
    matrix /= tf.norm(matrix) + 1e-7
    gram = tf.matmul(matrix, matrix, transpose_a=tall, transpose_b=not tall)
    identity = product = tf.eye(gram.shape[0])
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        step = a * identity + b * gram + c * tf.matmul(gram, gram)
        product = tf.matmul(product, step)
        gram = tf.matmul(step, tf.matmul(gram, step))
    return tf.reshape(tf.matmul(*(matrix, product) if tall else (product, matrix)), kernel.shape)


OPTIMIZERS: Final[dict[str, Callable[[Any], keras.optimizers.Optimizer]]] = {"muon_sgd": MuonSGD}
"""Makes each optimizer from a learning rate, by its name among the hyperparameter's choices."""
