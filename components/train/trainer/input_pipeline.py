"""From record files to batches, at the speed of a batch that never changes.

Records are parsed by the batch and stay uint8; a data set that fits is read once and held in
memory, a larger one is streamed in every epoch through a shuffle buffer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_BYTES, IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES

from .augmentation import augment
from .sampling import Draw
from .splits import Examples, Split, concatenate
from .util import HyperparameterError, Hyperparameters

MEMORY: Final = 256 * 2**20
"""Bytes of records that may be held in memory."""
BUFFERED: Final = 2
"""How many times its own bytes a record takes in TensorFlow's shuffle buffer (measured: 1.7)."""
READ_BATCH: Final = 4096
PREFETCH: Final = 4
FEATURES: Final = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "label": tf.io.FixedLenFeature([], tf.int64),
}


class Part(NamedTuple):
    """Some of the replicas that share each batch.

    Attributes:
        replicas: How many there are in all.
        own: Those that are meant.
    """

    replicas: int
    own: range


WHOLE: Final = Part(1, range(1))


class Source(Protocol):
    """Training examples, wherever they are."""

    count: int
    """How many."""
    indexed: bool
    """Whether it gives the examples that a draw asks for."""

    def drawn(self, draw: Draw, seed: int) -> Any:
        """Stand-ins for the examples of a round and their weights, as a data set."""

    def load(self, batch: Any) -> tuple[Any, Any]:
        """A batch of stand-ins as uint8 [n, 28, 28] and int64 [n]."""


class InMemory:
    """Examples that are held in memory, and whose index stands in for them."""

    indexed = True

    def __init__(self, examples: Examples) -> None:
        self.count = len(examples.labels)
        self._images = tf.constant(examples.images)
        self._labels = tf.constant(examples.labels)

    def drawn(self, draw: Draw, seed: int) -> Any:
        """See ``Source``."""
        del seed
        return tf.data.Dataset.from_tensor_slices((draw.indices, draw.weights))

    def load(self, batch: Any) -> tuple[Any, Any]:
        """See ``Source``."""
        return tf.gather(self._images, batch), tf.gather(self._labels, batch)


class Streamed:
    """Record files larger than memory, shuffled through a buffer of ``MEMORY`` bytes."""

    indexed = False

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [str(path) for path in files]
        self.count = sum(len(batch.labels) for path in files for batch in _read_file(path))
        size = sum(path.stat().st_size for path in files)
        self._buffer = max(1, self.count * MEMORY // (BUFFERED * size))

    def drawn(self, draw: Draw, seed: int) -> Any:
        """See ``Source``; in an order of its own, each example once."""
        order = int(np.random.default_rng([seed, draw.number]).integers(2**31))
        files = tf.data.Dataset.from_tensor_slices(self._files)
        files = files.shuffle(len(self._files), seed=order)
        records = files.flat_map(tf.data.TFRecordDataset).shuffle(self._buffer, seed=order)
        return tf.data.Dataset.zip((records, tf.data.Dataset.from_tensors(1.0).repeat()))

    def load(self, batch: Any) -> tuple[Any, Any]:
        """See ``Source``."""
        return _parse(batch)


def open_source(*splits: Split) -> Source:
    """The examples of all ``splits``, in memory when they fit.

    Raises:
        DataError: As ``read_examples``.
    """
    files = [path for split in splits for path in split.files]
    if sum(path.stat().st_size for path in files) <= MEMORY:
        return InMemory(concatenate([read_split(split) for split in splits]))
    if any(split.examples for split in splits):
        raise DataError("raw files and record files larger than memory cannot be used together")
    return Streamed(files)


def read_split(split: Split) -> Examples:
    """Reads a split whole.

    Raises:
        DataError: As ``read_examples``.
    """
    return split.examples or read_examples(split.files)


def read_examples(files: Sequence[Path]) -> Examples:
    """Reads record files whole.

    Raises:
        DataError: There are no examples, a file is damaged or holds something else, or a label
            is out of range.
    """
    batches = [batch for path in files for batch in _read_file(path)]
    if not batches:
        raise DataError(f"no examples in {[str(path) for path in files]}; run decode again")
    return concatenate(batches)


def _read_file(path: Path) -> Iterator[Examples]:
    read = 0
    _check_lengths(path)
    try:
        records = tf.data.TFRecordDataset(str(path)).batch(READ_BATCH)
        for images, labels in _untuned(records.map(_parse)):
            batch = Examples(images.numpy(), labels.numpy())
            _check_labels(path, read, batch.labels)
            read += len(batch.labels)
            yield batch
    except tf.errors.OpError as error:
        reason = (error.message or str(error)).splitlines()[0]
        raise DataError(
            f"{path}: no FashionMNIST record after record {read} ({reason}); run decode again"
        ) from error


def _check_lengths(path: Path) -> None:
    """Refuses a record that is longer than its file: TensorFlow would make room for it first."""
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            place += 16 + int.from_bytes(head, "little")
            if place > size:
                raise DataError(f"{path} is truncated or no record file; run decode again")
            file.seek(place)


def _check_labels(path: Path, read: int, labels: NDArray[np.int64]) -> None:
    wrong = (labels < 0) | (labels >= NUM_CLASSES)
    if wrong.any():
        first = int(wrong.argmax())
        raise DataError(
            f"{path}: record {read + first} has label {labels[first]}, expected 0 to "
            f"{NUM_CLASSES - 1}; run decode again"
        )


def _parse(records: Any) -> tuple[Any, Any]:
    features = tf.io.parse_example(records, FEATURES)
    pixels = tf.io.decode_raw(features["image"], tf.uint8)
    pixels = tf.ensure_shape(pixels, [None, IMAGE_BYTES])
    return tf.reshape(pixels, [-1, IMAGE_HEIGHT, IMAGE_WIDTH]), features["label"]


def training_batches(
    source: Source,
    draw: Draw,
    hyperparameters: Hyperparameters,
    batch_size: int,
    *,
    start: int = 0,
    part: Part = WHOLE,
) -> Any:
    """The batches of a round.

    Which batch a step gets hangs on the draw, the seed and the step alone.

    Args:
        source: The examples.
        draw: Those of the round.
        hyperparameters: ``seed`` and ``augmentation`` count.
        batch_size: Examples in every batch; a rest of the draw is left out.
        start: The round's first step, counted from 0 over the whole training.
        part: The replicas whose shares of each batch are wanted, one after another.

    Returns:
        A data set of (uint8 [n, 28, 28], int64 [n], the weights of their losses float32 [n]),
        where n is the batch size, divided by the number of replicas.

    Raises:
        HyperparameterError: The replicas cannot share a batch evenly.
    """
    share, rest = divmod(batch_size, part.replicas)
    if rest:
        raise HyperparameterError(
            f"{part.replicas} replicas cannot share a batch of {batch_size}; use a multiple"
        )
    seed, kind = hyperparameters.seed, hyperparameters.augmentation

    def load(step: Any, drawn: tuple[Any, Any]) -> tuple[Any, ...]:
        batch, weights = drawn
        images, labels = source.load(batch)
        images = augment(images, kind, draw=draw.number, step=step, seed=seed)
        images = tf.ensure_shape(images, [share, IMAGE_HEIGHT, IMAGE_WIDTH])
        return images, labels, tf.ensure_shape(weights, [share])

    steps = source.drawn(draw, seed).batch(batch_size, drop_remainder=True).enumerate(start)
    if part != WHOLE:
        steps = steps.flat_map(lambda step, drawn: _shares(step, drawn, part, share))
    return _untuned(steps.map(load).prefetch(PREFETCH))


def _shares(step: Any, drawn: tuple[Any, Any], part: Part, share: int) -> Any:
    own = slice(part.own.start, part.own.stop)
    shares = tuple(tf.reshape(each, [part.replicas, share])[own] for each in drawn)
    return tf.data.Dataset.from_tensor_slices((tf.repeat(step, len(part.own)), shares))


def _untuned(batches: Any) -> Any:
    """Without the thread that tunes: there is nothing to tune.

    It sleeps ever longer, and in TensorFlow 2.21 the end of a round of 10 s waited for it for
    another 10 s, in two rounds of five.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
