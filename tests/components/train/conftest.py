"""Small records of pictures that a network tells apart after a few steps."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from components.dataset.manifest import write_manifest
from components.train.trainer.splits import Split


def make_examples(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noise with a bright bar whose place is the label: uint8 [n, 28, 28] and int64 [n]."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 6] = 250
    return images, labels.astype(np.int64)


def write_records(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """One record file, written the way of TensorFlow's own guide."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image, label in zip(images, labels, strict=True):
            pixels = tf.train.BytesList(value=[image.tobytes()])
            feature = {
                "image": tf.train.Feature(bytes_list=pixels),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def write_split(directory: Path, split: str, count: int, seed: int = 0) -> Path:
    """Two shards and their manifest, as decode leaves them."""
    directory.mkdir()
    images, labels = make_examples(count, seed)
    for shard in range(2):
        path = directory / f"{split}-{shard:05d}-of-00002.tfrecord"
        write_records(path, images[shard::2], labels[shard::2])
    write_manifest(directory, examples=count, shards=2)
    return directory


@pytest.fixture(scope="session")
def train_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_split(tmp_path_factory.mktemp("records") / "train", "train", 320)


@pytest.fixture(scope="session")
def validation_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_split(tmp_path_factory.mktemp("records") / "validation", "validation", 60, 1)


@pytest.fixture(scope="session")
def train(train_directory: Path) -> Split:
    return Split.of_directory(train_directory)


@pytest.fixture(scope="session")
def validation(validation_directory: Path) -> Split:
    return Split.of_directory(validation_directory)
