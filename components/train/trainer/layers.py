"""The layers that Keras does not have: faster ones, and those that average predictions."""

import math
from typing import Any, Final

import keras
import tensorflow as tf

EPSILON: Final = 1e-3
MOMENTUM: Final = 0.9
"""Of the moving statistics; a training has about a thousand steps, too few for Keras' 0.99."""
SMALL: Final = 4
"""Longest edge of the images whose kernel gradient ``Convolution`` computes by itself."""


class FusedBatchNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Batch normalization over the channels of [N, H, W, C] with TensorFlow's fused kernel.

    ``keras.layers.BatchNormalization`` is a chain of small operations on this backend, which
    halves the speed of a residual network. Statistics, scale and offset are float32 whatever
    the layer computes in. Replicas that share a batch normalize by the statistics of the whole
    batch, so that they train the model that one replica would.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the four vectors, with one entry for each channel."""

        def vector(name: str, initial: str, *, trainable: bool = True) -> Any:
            return self.add_weight(
                shape=(input_shape[-1],),
                initializer=initial,
                trainable=trainable,
                name=name,
                dtype="float32",
                autocast=False,
                # Equal on all replicas; the mean is what they agree on.
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
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            y, mean, variance = self._normalize_together(inputs)
        else:
            empty = tf.zeros([0])
            result = self._normalize(inputs, empty, empty, is_training=True)
            y, mean, variance = result.y, result.batch_mean, result.batch_variance
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(MOMENTUM * moving + (1 - MOMENTUM) * batch)
        return y

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

    def _normalize_together(self, inputs: Any) -> tuple[Any, Any, Any]:
        """This replica's share, with mean and variance of the whole batch.

        The returned variance is the unbiased one, like the fused kernel's.
        """
        replica = tf.distribute.get_replica_context()
        x = tf.cast(inputs, tf.float32)
        moments = [tf.reduce_mean(x, [0, 1, 2]), tf.reduce_mean(tf.square(x), [0, 1, 2])]
        mean, square = replica.all_reduce(tf.distribute.ReduceOp.MEAN, moments)
        variance = tf.maximum(square - tf.square(mean), 0.0)
        scale, offset = (tf.convert_to_tensor(weight) for weight in (self.gamma, self.beta))
        y = tf.nn.batch_normalization(x, mean, variance, offset, scale, EPSILON)
        count = replica.num_replicas_in_sync * tf.size(x[..., 0], tf.float32)
        return tf.cast(y, inputs.dtype), mean, variance * count / (count - 1)


class Convolution(keras.layers.Conv2D):  # type: ignore[misc]
    """A 3x3 convolution without bias whose gradient is fast on images of a few pixels too.

    oneDNN computes the gradient of the kernel slowly there. It is itself a convolution, of the
    inputs by the gradients, with the examples as channels: for 128 channels at 3x3 that takes a
    third of the time in bfloat16, half in float32 with AVX2, and as long with AVX-512.
    """

    def __init__(self, filters: int, strides: int = 1, **options: Any) -> None:
        super().__init__(filters, 3, strides, "same", use_bias=False, **options)

    def call(self, inputs: Any) -> Any:
        """Convolves, with "same" padding."""
        if self.strides != (1, 1) or max(inputs.shape[1:3]) > SMALL:
            return super().call(inputs)
        return _convolve(inputs, tf.cast(self.kernel, self.compute_dtype))


@tf.custom_gradient
def _convolve(inputs: Any, kernel: Any) -> Any:
    def gradient(upstream: Any) -> tuple[Any, Any]:
        of_kernel = tf.nn.conv2d(
            tf.transpose(inputs, [3, 1, 2, 0]),
            tf.transpose(upstream, [1, 2, 0, 3]),
            strides=1,
            padding=[[0, 0], [1, 1], [1, 1], [0, 0]],
        )
        of_inputs = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(inputs), strides=1)
        return of_inputs, tf.transpose(of_kernel, [1, 2, 0, 3])

    return tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME"), gradient


class WithMirrorImages(keras.layers.Layer):  # type: ignore[misc]
    """Images [N, H, W, C] followed by their mirror images, [2N, H, W, C]; only when predicting."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The images, as they are when training."""
        return inputs if training else tf.concat([inputs, tf.reverse(inputs, [2])], axis=0)


class Ensemble(keras.layers.Layer):  # type: ignore[misc]
    """Several networks that predict together, each ``views`` times for an image.

    Each learns by itself: when training, their logits [N, classes] are only stacked to float32
    [N, members, classes]. Otherwise they are [views * N, classes], one view of all images after
    another, and the result is the logarithm of the mean of all probabilities for an image, float32
    [N, classes], to be used as logits.
    """

    def __init__(self, views: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.views = views

    def call(self, inputs: list[Any], training: bool = False) -> Any:
        """The members' logits, or their common prediction."""
        if training:
            return tf.stack(inputs, axis=1)
        parts = [part for logits in inputs for part in tf.split(logits, self.views)]
        logits = tf.nn.log_softmax(tf.stack(parts, axis=1))
        return tf.reduce_logsumexp(logits, axis=1) - math.log(len(parts))
