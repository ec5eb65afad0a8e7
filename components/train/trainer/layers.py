"""The layers that Keras does not have: batch normalization as one operation, and a committee."""

import math
from typing import Any, Final

import keras
import tensorflow as tf

EPSILON: Final = 1e-3
MOMENTUM: Final = 0.9
"""Of the moving statistics; a run has a thousand steps or so, too few for Keras' 0.99."""


class FusedBatchNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Batch normalization over the channels of [N, H, W, C] with TensorFlow's fused kernel.

    ``keras.layers.BatchNormalization`` is a chain of small operations on this backend, which
    halves the speed of a residual network. Statistics, scale and offset are float32 whatever
    the layer computes in.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the four vectors, one entry a channel."""

        def vector(name: str, initial: str, *, trainable: bool = True) -> Any:
            return self.add_weight(
                shape=(input_shape[-1],),
                initializer=initial,
                trainable=trainable,
                name=name,
                dtype="float32",
                autocast=False,
                # Of the statistics of all replicas the mean is kept.
                aggregation="none" if trainable else "mean",
            )

        self.gamma = vector("gamma", "ones")
        self.beta = vector("beta", "zeros")
        self.moving_mean = vector("moving_mean", "zeros", trainable=False)
        self.moving_variance = vector("moving_variance", "ones", trainable=False)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Normalizes by the batch when training, by the moving statistics otherwise."""
        if not training:
            return self._normalize(inputs, self.moving_mean, self.moving_variance).y
        empty = tf.zeros([0])
        result = self._normalize(inputs, empty, empty, is_training=True)
        for moving, batch in (
            (self.moving_mean, result.batch_mean),
            (self.moving_variance, result.batch_variance),
        ):
            moving.assign(MOMENTUM * moving + (1 - MOMENTUM) * batch)
        return result.y

    def _normalize(self, x: Any, mean: Any, variance: Any, *, is_training: bool = False) -> Any:
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.convert_to_tensor(mean),
            variance=tf.convert_to_tensor(variance),
            epsilon=EPSILON,
            is_training=is_training,
        )


class Committee(keras.layers.Layer):  # type: ignore[misc]
    """What several networks say together.

    Each learns by itself: when training, their logits [N, 10] are only put beside each other,
    float32 [N, members, 10]. Otherwise the answer is the logarithm of the mean of their
    probabilities, float32 [N, 10], to be used as logits.
    """

    def call(self, inputs: list[Any], training: bool = False) -> Any:
        """The members' logits, or their answer."""
        logits = tf.stack(inputs, axis=1)
        if training:
            return logits
        return tf.reduce_logsumexp(tf.nn.log_softmax(logits), axis=1) - math.log(len(inputs))
