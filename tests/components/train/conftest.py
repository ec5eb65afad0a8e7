"""Small records of pictures that a network tells apart after a few steps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from components.dataset.manifest import write_manifest
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.splits import Split

SMALL = Hyperparameters(
    architecture="plain",
    filters=(4, 8),
    dense_units=16,
    batch_size=32,
    epochs=3,
    dropout=0.2,
    augmentation="flip+shift",
    precision="float32",
)
"""A short training that draws all its random numbers; an epoch has 10 steps."""


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
    """Two shards and their manifest, as decode writes them."""
    directory.mkdir()
    images, labels = make_examples(count, seed)
    for shard in range(2):
        path = directory / f"{split}-{shard:05d}-of-00002.tfrecord"
        write_records(path, images[shard::2], labels[shard::2])
    write_manifest(directory, examples=count, shards=2)
    return directory


def read_weights(model: Path) -> dict[str, NDArray[Any]]:
    """The weights of an exported model by name."""
    reader = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("weights")]
    assert names
    return {name: reader.get_tensor(name) for name in names}


def read_result(job: Path) -> dict[str, Any]:
    """The bytes of the weights and the learning curve, without times, of a job's directory."""
    rows = json.loads((job / "history.json").read_text())["epochs"]
    curve = [{name: row[name] for name in row if name != "seconds"} for row in rows]
    weights = {name: value.tobytes() for name, value in read_weights(job / "model").items()}
    return {"curve": curve, **weights}


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


@pytest.fixture(scope="session")
def files(train_directory: Path, validation_directory: Path) -> list[str]:
    """The records as arguments of the command line."""
    return [
        f"--train-files={train_directory}/*.tfrecord",
        f"--eval-files={validation_directory}/*.tfrecord",
    ]
