"""Small IDX sets for tests: sound ones that a tiny network can learn, and parts of broken ones."""

import dataclasses
import gzip
import hashlib
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.facts import (
    FILES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from components.ingest import fashion_mnist

IMAGES_MAGIC = 0x00000803
LABELS_MAGIC = 0x00000801


FASHION = dataclasses.replace(fashion_mnist.DESCRIPTION, digests={})


def header(magic: int, *numbers: int) -> bytes:
    """An IDX header: the magic number, the count, and for images the dimensions."""
    return struct.pack(f">{1 + len(numbers)}I", magic, *numbers)


def images_payload(images: NDArray[np.uint8]) -> bytes:
    return header(IMAGES_MAGIC, len(images), 28, 28) + images.tobytes()


def labels_payload(labels: NDArray[np.uint8]) -> bytes:
    return header(LABELS_MAGIC, len(labels)) + labels.tobytes()


def shuffled_labels(per_class: int | Sequence[int], seed: int = 0) -> NDArray[np.uint8]:
    """As many labels of each class, shuffled: uint8; one number for all or one for each class."""
    labels = np.repeat(np.arange(len(FASHION.classes), dtype=np.uint8), per_class)
    return np.random.default_rng(seed).permutation(labels)


def synthetic_images(labels: NDArray[np.uint8], seed: int = 0) -> NDArray[np.uint8]:
    """Images that show their class: its own coarse pattern under noise, uint8 [n, 28, 28].

    The patterns are the same for every seed, so a training and a test set fit each other.
    """
    patterns = np.random.default_rng(2017).integers(0, 200, (10, 7, 7), dtype=np.uint8)
    large = patterns.repeat(4, axis=1).repeat(4, axis=2)
    noise = np.random.default_rng(seed).integers(0, 56, (len(labels), 28, 28), dtype=np.uint8)
    return large[labels] + noise


def idx_payloads(
    train_per_class: int | Sequence[int] = 30,
    test_per_class: int | Sequence[int] = 10,
    seed: int = 0,
) -> dict[str, bytes]:
    train = shuffled_labels(train_per_class, seed)
    test = shuffled_labels(test_per_class, seed + 1)
    return {
        TRAIN_IMAGES: images_payload(synthetic_images(train, seed)),
        TRAIN_LABELS: labels_payload(train),
        TEST_IMAGES: images_payload(synthetic_images(test, seed + 1)),
        TEST_LABELS: labels_payload(test),
    }


def payload_digests(payloads: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each payload by its name."""
    return {name: hashlib.sha256(payloads[name]).hexdigest() for name in FILES}


def write_payloads(directory: Path, payloads: Mapping[str, bytes]) -> None:
    """Writes each payload as ``<name>.gz``; equal payloads give equal bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, payload in payloads.items():
        (directory / f"{name}.gz").write_bytes(gzip.compress(payload, 1, mtime=0))


def write_idx_set(
    directory: Path,
    train_per_class: int | Sequence[int] = 30,
    test_per_class: int | Sequence[int] = 10,
    seed: int = 0,
) -> dict[str, str]:
    """Writes a learnable set of four ``.gz`` files with its ``dataset.json``.

    Returns:
        The SHA-256 of each payload, by file name.
    """
    payloads = idx_payloads(train_per_class, test_per_class, seed)
    write_payloads(directory, payloads)
    digests = payload_digests(payloads)
    described(digests).write(directory)
    return digests


def described(digests: Mapping[str, str]) -> Description:
    """FashionMNIST's description with other digests."""
    return dataclasses.replace(FASHION, digests=digests)
