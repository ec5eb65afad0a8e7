"""Converts the raw IDX files to shuffled shards of records: a split at a time, as a stream."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.dataset.disk import scratch_directory
from components.dataset.errors import DataError
from components.dataset.facts import (
    SPLITS,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from components.dataset.idx import CHUNK, IMAGES, Examples, read_labels
from components.dataset.manifest import content_digest, write_manifest
from components.dataset.raw import open_raw
from components.dataset.records import frame_records
from components.dataset.split import shuffled_positions
from components.decode.shards import permute, plan_shards, write_shards

log = logging.getLogger(__name__)
TRAIN, VALIDATION, TEST = SPLITS


@dataclass(frozen=True)
class Options:
    """The parameters of decode: shards of each split, size of the validation split, seed."""

    shards: int = 8
    validation_examples: int = 5000
    seed: int = 0


def convert(
    uri: str, directories: Mapping[str, Path], options: Options
) -> dict[str, dict[str, Any]]:
    """Writes the three splits, each with a manifest.

    Memory: a constant plus at most 16 bytes an example. Equal input and options give equal bytes.

    Args:
        uri: The directory of the four raw files: ``gs://…`` or local.
        directories: For each of ``facts.SPLITS`` the directory to write to; created if missing.
        options: The parameters.

    Returns:
        For each split ``examples``, ``shards`` and ``digest`` (of the content).

    Raises:
        DataError: The raw files are damaged, or images and labels differ in number.
        BucketError: A raw file is missing or cannot be read.
        ParameterError: An option does not fit the data.
        DiskError: A disk is full.
    """
    plan_shards(Path(), TRAIN, 0, options.shards)
    for directory in directories.values():
        directory.mkdir(parents=True, exist_ok=True)
    with scratch_directory("decode", *directories.values()) as scratch:
        counts = _convert_training(uri, directories, options, scratch)
        counts[TEST] = _convert_test(uri, directories[TEST], options)
        summary = {}
        for split in SPLITS:
            facts = {"examples": counts[split], "shards": options.shards}
            manifest = write_manifest(directories[split], split=split, **facts)
            summary[split] = {**facts, "digest": content_digest(manifest)}
    log.info(
        "Wrote %d training, %d validation and %d test examples, each split as %d shards",
        *(counts[split] for split in SPLITS),
        options.shards,
    )
    return summary


def _convert_training(
    uri: str, directories: Mapping[str, Path], options: Options, scratch: Path
) -> dict[str, int]:
    """Writes the training and the validation split; returns their numbers of examples."""
    labels = _read_labels(uri, TRAIN_LABELS)
    positions = shuffled_positions(labels, options.validation_examples, options.seed)
    held_out = options.validation_examples
    counts = {TRAIN: len(labels) - held_out, VALIDATION: held_out}
    shards = [
        shard
        for split, examples in counts.items()
        for shard in plan_shards(directories[split], split, examples, options.shards)
    ]
    with TemporaryFile(dir=scratch) as file:
        records = _records(uri, TRAIN_IMAGES, TRAIN_LABELS, labels)
        write_shards(permute(records, positions, file, CHUNK), shards)
    return counts


def _convert_test(uri: str, directory: Path, options: Options) -> int:
    """Writes the test split in its official order; returns its number of examples."""
    labels = _read_labels(uri, TEST_LABELS)
    shards = plan_shards(directory, TEST, len(labels), options.shards)
    write_shards(_records(uri, TEST_IMAGES, TEST_LABELS, labels), shards)
    return len(labels)


def _read_labels(uri: str, name: str) -> NDArray[np.uint8]:
    with open_raw(uri, name) as stream:
        labels = read_labels(stream, f"{name}.gz")
    if not len(labels):
        raise DataError(f"{name}.gz has no examples (at byte 4); download it again")
    return labels


def _records(
    uri: str, images_name: str, labels_name: str, labels: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    """Yields the records of a split in the order of its raw files: uint8 [k, RECORD_BYTES]."""
    with open_raw(uri, images_name) as stream:
        images = Examples(stream, f"{images_name}.gz", IMAGES)
        if images.count != len(labels):
            raise DataError(
                f"{images_name}.gz has {images.count} examples (at byte 4), expected "
                f"{len(labels)} as in {labels_name}.gz; download both again"
            )
        start = 0
        for chunk in images.chunks(CHUNK):
            yield frame_records(chunk, labels[start : start + len(chunk)])
            start += len(chunk)
