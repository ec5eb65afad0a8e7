"""From examples to augmented batches, as fast as a batch that never changes.

Records are parsed by the batch and stay uint8. A data set that fits is read once and kept in
memory; a larger one is streamed in every epoch through a shuffle buffer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from components.dataset.description import Description
from components.dataset.records import read_records

from .hyperparameters import HyperparameterError
from .sampling import Draw
from .splits import Examples, Split, read_examples

MEMORY: Final = 256 * 2**20
"""Bytes of records that may be kept in memory."""
BUFFERED: Final = 2
"""How many times its own bytes a record takes in TensorFlow's shuffle buffer (measured: 1.7)."""
PREFETCH: Final = 4


class InMemory:
    """Examples in memory, given as a draw names them; the key of an example is its index."""

    indexed = True

    def __init__(self, examples: Examples) -> None:
        self.count = len(examples.labels)
        self._images = tf.constant(examples.images)
        self._labels = tf.constant(examples.labels)

    def drawn(self, draw: Draw, seed: int) -> Any:
        """A data set of keys and weights, one for each example of a draw."""
        del seed
        return tf.data.Dataset.from_tensor_slices((draw.indices, draw.weights))

    def load(self, keys: Any) -> tuple[Any, Any]:
        """The examples of a batch of keys: uint8 [n, h, w(, 3)] and int64 [n]."""
        return tf.gather(self._images, keys), tf.gather(self._labels, keys)


class Streamed:
    """Record files larger than memory, shuffled in a buffer; the key of an example is its record.

    Every example is drawn once, in an order that depends on the number of the draw. The methods
    are those of ``InMemory``.
    """

    indexed = False

    def __init__(self, files: Sequence[Path], description: Description) -> None:
        self._files = [str(path) for path in files]
        self._description = description
        self.count = sum(
            len(labels) for path in files for _, labels in read_records(path, description)
        )
        size = sum(path.stat().st_size for path in files)
        self._buffer = max(1, self.count * MEMORY // (BUFFERED * size))

    def drawn(self, draw: Draw, seed: int) -> Any:  # noqa: D102
        order = int(np.random.default_rng([seed, draw.number]).integers(2**31))
        files = tf.data.Dataset.from_tensor_slices(self._files)
        files = files.shuffle(len(self._files), seed=order)
        records = files.flat_map(tf.data.TFRecordDataset).shuffle(self._buffer, seed=order)
        return tf.data.Dataset.zip((records, tf.data.Dataset.from_tensors(1.0).repeat()))

    def load(self, keys: Any) -> tuple[Any, Any]:  # noqa: D102
        image, label = (tf.io.FixedLenFeature([], kind) for kind in (tf.string, tf.int64))
        features = tf.io.parse_example(keys, {"image": image, "label": label})
        pixels = tf.io.decode_raw(features["image"], tf.uint8)
        pixels = tf.ensure_shape(pixels, [None, self._description.image_bytes])
        return tf.reshape(pixels, [-1, *self._description.shape]), features["label"]


Source = InMemory | Streamed
"""Training examples, wherever they are."""


def open_source(*splits: Split) -> Source:
    """The examples of all ``splits``, in memory if they fit.

    Raises:
        DataError: Files are damaged or something else, or have no example.
    """
    files = [path for split in splits for path in split.files]
    if sum(path.stat().st_size for path in files) <= MEMORY:
        return InMemory(read_examples(*splits))
    return Streamed(files, splits[0].description)


def training_batches(
    source: Source, draw: Draw, batch_size: int, *, augmentation: str, seed: int, start: int = 0
) -> Any:
    """The full batches of a draw; each depends on the draw, the seed and the step alone.

    The first one is step ``start``, counted from 0 over the whole training.

    Returns:
        A data set of (uint8 [n, h, w(, 3)], int64 [n], the weights of the losses float32 [n]).
    """

    def load(step: Any, drawn: tuple[Any, Any]) -> tuple[Any, ...]:
        keys, weights = drawn
        images, labels = source.load(keys)
        images = augment(images, augmentation, draw=draw.number, step=step, seed=seed)
        images = tf.ensure_shape(images, [batch_size, *images.shape[1:]])
        return images, labels, tf.ensure_shape(weights, [batch_size])

    steps = source.drawn(draw, seed).batch(batch_size, drop_remainder=True).enumerate(start)
    # Without TensorFlow's tuning thread, which has nothing to tune here and sleeps ever longer: in
    # 2.21 the end of a 10 s round waited for it for another 10 s, in two of five rounds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return steps.map(load).prefetch(PREFETCH).with_options(options)


def share(batches: Any, batch_size: int, worker: tf.distribute.InputContext) -> Any:
    """What a worker takes of each batch: one equal part after another for each of its replicas.

    Raises:
        HyperparameterError: The replicas of all workers cannot share a batch evenly.
    """
    workers, replicas = worker.num_input_pipelines, worker.num_replicas_in_sync
    if batch_size % replicas:
        raise HyperparameterError(
            f"{replicas} replicas cannot share a batch of {batch_size}; use a multiple"
        )
    parts = batches.rebatch(batch_size // workers, drop_remainder=True)
    own = parts.shard(workers, worker.input_pipeline_id)
    return own.rebatch(batch_size // replicas, drop_remainder=True)


def augment(images: Any, kind: str, *, draw: int, step: Any, seed: int) -> Any:
    """Changes a batch, uint8 [n, h, w(, 3)], at random; equal arguments give equal results.

    ``draw`` and ``step`` are counted from 0 over the whole training.
    """
    height, width, *channels = images.shape[1:]
    if "flip" in kind:
        # Mirrored in every other draw, so each image is seen both ways equally often. Its own
        # pixels decide in which one it starts: no index has to travel with it.
        pixels = tf.reduce_sum(tf.cast(images, tf.int64), axis=range(1, images.shape.rank))
        mirrored = tf.reshape((pixels + draw) % 2 == 0, [-1, 1, 1, *(1 for _ in channels)])
        images = tf.where(mirrored, tf.reverse(images, [2]), images)
    if "shift" in kind:
        # By -1, 0 or 1 pixel each way; background comes in at the edge.
        padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], *([0, 0] for _ in channels)])
        drawn = tf.stack([tf.cast(seed, tf.int64), step])
        shape = [2, tf.shape(images)[0], 1]
        offsets = tf.random.stateless_uniform(shape, drawn, maxval=3, dtype=tf.int32)
        padded = tf.gather(padded, offsets[0] + tf.range(height), axis=1, batch_dims=1)
        images = tf.gather(padded, offsets[1] + tf.range(width), axis=2, batch_dims=1)
    return images
