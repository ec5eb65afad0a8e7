"""Records as most people write them: ``python -m benchmarks.peers.naive_records RAW OUT``.

A ``tf.train.Example`` for each image through a ``TFRecordWriter``. It does less than the step: no
validation split, no shuffling, no checks.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

SHARDS = 8


def example(image: np.ndarray, label: int) -> bytes:
    """One record."""
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    features = tf.train.Features(feature=feature)
    return bytes(tf.train.Example(features=features).SerializeToString())


def write(raw: Path, name: str, out: Path) -> None:
    """Writes the shards of one split."""
    with gzip.open(raw / f"{name}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(raw / f"{name}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    for shard in range(SHARDS):
        with tf.io.TFRecordWriter(str(out / f"{name}-{shard:05d}.tfrecord")) as writer:
            for image, label in zip(images[shard::SHARDS], labels[shard::SHARDS], strict=True):
                writer.write(example(image, int(label)))


def main(raw: str, out: str) -> None:
    """Writes both splits."""
    Path(out).mkdir(parents=True)
    for name in ("train", "t10k"):
        write(Path(raw), name, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
