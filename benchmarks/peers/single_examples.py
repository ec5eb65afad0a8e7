"""Records as most people read them: parsed one by one, shuffled, then put into batches."""

from pathlib import Path

import tensorflow as tf

SHUFFLE = 10_000
FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "label": tf.io.FixedLenFeature([], tf.int64),
}


def parse(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """An image uint8 [28, 28] and its label int64."""
    example = tf.io.parse_single_example(record, FEATURES)
    image = tf.io.decode_raw(example["image"], tf.uint8)
    return tf.reshape(image, [28, 28]), example["label"]


def batches(records: Path, batch_size: int) -> tf.data.Dataset:
    """Endless batches of uint8 [n, 28, 28] and int64 [n]."""
    files = sorted(str(path) for path in records.glob("*.tfrecord"))
    return (
        tf.data.TFRecordDataset(files)
        .shuffle(SHUFFLE)
        .repeat()
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )
