"""The official files as a user of Keras has them: arrays in memory."""

import gzip
from pathlib import Path

import numpy as np

from components.dataset.split import ONE_IN, shuffled_positions
from components.ingest.fashion_mnist import DESCRIPTION

Arrays = tuple[np.ndarray, np.ndarray]


def read(raw: Path, name: str) -> Arrays:
    """Images uint8 [n, 28, 28], labels uint8 [n]."""
    with gzip.open(raw / f"{name}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(raw / f"{name}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels


def load(raw: Path, name: str) -> Arrays:
    """Images float32 [n, 28, 28, 1] in [0, 1], labels uint8 [n]."""
    images, labels = read(raw, name)
    return images[..., None].astype("float32") / 255, labels


def load_splits(raw: Path, seed: int) -> tuple[Arrays, Arrays]:
    """The examples to train on, and a twelfth to validate on: ``decode``'s with that seed."""
    images, labels = load(raw, "train")
    held_out = len(labels) // ONE_IN
    order = np.argsort(shuffled_positions(labels, DESCRIPTION.classes, held_out, seed))
    train, validation = order[:-held_out], order[-held_out:]
    return (images[train], labels[train]), (images[validation], labels[validation])
