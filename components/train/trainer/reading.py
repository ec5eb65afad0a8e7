"""Reads record files whole, and checks them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_BYTES, IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES

from .splits import Examples, Split, concatenate

READ_BATCH: Final = 4096
FEATURES: Final = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "label": tf.io.FixedLenFeature([], tf.int64),
}


def read_split(split: Split) -> Examples:
    """All examples of a split.

    Raises:
        DataError: As ``read_examples``.
    """
    return split.examples or read_examples(split.files)


def read_examples(files: Sequence[Path]) -> Examples:
    """All examples of record files.

    Raises:
        DataError: There are none, a file is damaged or is something else, or a label is out of
            range.
    """
    batches = [batch for path in files for batch in read_file(path)]
    if not batches:
        raise DataError(f"no examples in {[str(path) for path in files]}; run decode again")
    return concatenate(batches)


def read_file(path: Path) -> Iterator[Examples]:
    """The examples of a record file in batches.

    Raises:
        DataError: As ``read_examples``.
    """
    read = 0
    _check_lengths(path)
    try:
        records = tf.data.TFRecordDataset(str(path)).batch(READ_BATCH)
        for images, labels in untuned(records.map(parse)):
            batch = Examples(images.numpy(), labels.numpy())
            _check_labels(path, read, batch.labels)
            read += len(batch.labels)
            yield batch
    except tf.errors.OpError as error:
        reason = (error.message or str(error)).splitlines()[0]
        raise DataError(
            f"{path}: no FashionMNIST record after record {read} ({reason}); run decode again"
        ) from error


def parse(records: Any) -> tuple[Any, Any]:
    """A batch of records, string [n], as uint8 [n, 28, 28] and int64 [n]."""
    features = tf.io.parse_example(records, FEATURES)
    pixels = tf.io.decode_raw(features["image"], tf.uint8)
    pixels = tf.ensure_shape(pixels, [None, IMAGE_BYTES])
    return tf.reshape(pixels, [-1, IMAGE_HEIGHT, IMAGE_WIDTH]), features["label"]


def untuned(batches: Any) -> Any:
    """A data set without TensorFlow's tuning thread, which has nothing to tune here.

    It sleeps ever longer: in TensorFlow 2.21 the end of a 10 s round waited for it for another
    10 s, in two of five rounds.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def _check_lengths(path: Path) -> None:
    """Refuses a record that is longer than its file: TensorFlow would reserve memory for it."""
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
