"""Random changes of the training images that leave their class as it is."""

from typing import Any

import tensorflow as tf

from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH


def augment(images: Any, kind: str, *, draw: int, step: Any, seed: int) -> Any:
    """Changes a batch; the same arguments give the same result.

    Args:
        images: uint8 [N, 28, 28].
        kind: One of ``util.AUGMENTATIONS``.
        draw: Number of the round, counted from 0.
        step: int64 scalar, counted from 0 over the whole training.
        seed: Of the training run.
    """
    if "flip" in kind:
        images = _flip(images, draw)
    if "shift" in kind:
        images = _shift(images, tf.stack([tf.cast(seed, tf.int64), step]))
    return images


def _flip(images: Any, draw: int) -> Any:
    # An image is mirrored in every other round: it is seen both ways equally often. Which round
    # it starts with hangs on its own pixels, so no index has to travel with it.
    pixels = tf.reduce_sum(tf.cast(images, tf.int64), axis=[1, 2])
    mirrored = (pixels + draw) % 2 == 0
    return tf.where(mirrored[:, None, None], tf.reverse(images, [2]), images)


def _shift(images: Any, seed: Any) -> Any:
    # By -1, 0 or 1 pixel each way; what comes in from outside is background.
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1]])
    shape = [2, tf.shape(images)[0], 1]
    offsets = tf.random.stateless_uniform(shape, seed, maxval=3, dtype=tf.int32)
    padded = tf.gather(padded, offsets[0] + tf.range(IMAGE_HEIGHT), axis=1, batch_dims=1)
    return tf.gather(padded, offsets[1] + tf.range(IMAGE_WIDTH), axis=2, batch_dims=1)
