"""Converts the raw IDX files to shuffled shards of records, as a stream.

All records are written to a scratch file, each chunk sorted by final place. A stretch of a shard is
then put together from one contiguous segment of every chunk.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.disk import scratch_directory
from components.dataset.errors import DataError, ParameterError
from components.dataset.facts import (
    SPLITS,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from components.dataset.idx import IMAGES, LABELS, Examples, read_all
from components.dataset.manifest import content_digest, write_manifest
from components.dataset.pixels import Pixels
from components.dataset.raw import open_raw, read_description
from components.dataset.records import BATCH_BYTES, form_of, frame_records
from components.dataset.split import ONE_IN, shuffled_positions

MOST_SHARDS: Final = 99_999
"""Their numbers have five digits."""

log = logging.getLogger(__name__)


def convert(
    uri: str,
    directories: Mapping[str, Path],
    *,
    shards: int = 8,
    validation_examples: int = -1,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Writes the three splits, each with a description of the data and a manifest.

    Memory: a constant plus at most 16 bytes an example. Equal arguments give equal bytes.

    Returns:
        For each split ``examples``, ``shards`` and ``digest`` (of the content).

    Raises:
        DataError: The raw files are damaged, or images and labels differ in number.
        BucketError: A raw file is missing or cannot be read.
        ParameterError: A parameter is out of range or does not fit the data.
        DiskError: A disk is full.
    """
    check_shards(shards)
    about = read_description(uri)
    for directory in directories.values():
        directory.mkdir(parents=True, exist_ok=True)
    with scratch_directory("decode", *directories.values()) as scratch:
        labels, test_labels = (
            _read_labels(uri, name, about) for name in (TRAIN_LABELS, TEST_LABELS)
        )
        if validation_examples == -1:
            validation_examples = len(labels) // ONE_IN
        positions = shuffled_positions(labels, about.classes, validation_examples, seed)
        sizes = (len(labels) - validation_examples, validation_examples, len(test_labels))
        counts = dict(zip(SPLITS, sizes, strict=True))
        test_positions = np.arange(len(test_labels), dtype=np.uint32) + np.uint32(len(labels))
        positions = np.concatenate([positions, test_positions])
        pixels = Pixels(about.channels)
        records = chain(
            _records(uri, TRAIN_IMAGES, TRAIN_LABELS, labels, about, pixels.add),
            _records(uri, TEST_IMAGES, TEST_LABELS, test_labels, about),
        )
        size = form_of(about).record_bytes
        step = max(1, BATCH_BYTES // size)
        with (scratch / "records").open("wb+") as file:
            held_out = positions[: len(labels)] >= counts["train"]
            by_split = (labels[~held_out], labels[held_out], test_labels)
            starts = _sort(records, positions, file)
            first = 0
            for split in SPLITS:
                for path, count in _plan(directories[split], split, counts[split], shards):
                    with path.open("wb") as shard:
                        for place in range(first, first + count, step):
                            last = min(place + step, first + count)
                            shard.write(_gather(positions, starts, place, last, file, size).data)
                    first += count
        # In the records the pictures are upright and the labels begin at 0.
        about = dataclasses.replace(
            about,
            first_label=0,
            transposed=False,
            counts={
                split: np.bincount(each, minlength=len(about.classes)).tolist()
                for split, each in zip(SPLITS, by_split, strict=True)
            },
            mean=pixels.mean,
            deviation=pixels.deviation,
        )
        summary = {}
        for split in SPLITS:
            about.write(directories[split])
            facts = {"examples": counts[split], "shards": shards}
            manifest = write_manifest(directories[split], split=split, **facts)
            summary[split] = {**facts, "digest": content_digest(manifest)}
    log.info(
        "Wrote %d training, %d validation and %d test examples, each split as %d shards",
        *counts.values(),
        shards,
    )
    return summary


def check_shards(shards: int) -> None:
    """Refuses a number of shards that cannot be written, with a ``ParameterError``."""
    if not 1 <= shards <= MOST_SHARDS:
        raise ParameterError(f"shards is {shards}, expected 1 to {MOST_SHARDS}")


def _read_labels(uri: str, name: str, about: Description) -> NDArray[np.uint8]:
    with open_raw(uri, name) as stream:
        labels = read_all(stream, f"{name}.gz", LABELS, about)
    if not len(labels):
        raise DataError(f"{name}.gz has no examples (at byte 4); download it again")
    return labels


def _records(
    uri: str,
    images_name: str,
    labels_name: str,
    labels: NDArray[np.uint8],
    about: Description,
    see: Callable[[NDArray[np.uint8]], None] = lambda _: None,
) -> Iterator[NDArray[np.uint8]]:
    """Yields the records of a split in the order of its raw files: uint8 [k, record_bytes].

    ``see`` is called with the images before.
    """
    with open_raw(uri, images_name) as stream:
        images = Examples(stream, f"{images_name}.gz", IMAGES, about)
        if images.count != len(labels):
            raise DataError(
                f"{images_name}.gz has {images.count} examples (at byte 4), expected "
                f"{len(labels)} as in {labels_name}.gz; download both again"
            )
        start = 0
        for chunk in images.chunks():
            see(chunk)
            yield frame_records(chunk, labels[start : start + len(chunk)], about)
            start += len(chunk)


def _sort(
    records: Iterable[NDArray[np.uint8]], positions: NDArray[np.uint32], file: BinaryIO
) -> list[int]:
    """Writes each chunk of records sorted by final place, and its positions too.

    Returns where the chunks begin and the last one ends, in records.
    """
    starts = [0]
    for rows in records:
        span = positions[starts[-1] : starts[-1] + len(rows)]
        order = np.argsort(span)
        file.write(rows[order].data)
        span[:] = span[order]
        starts.append(starts[-1] + len(rows))
    return starts


def _gather(
    positions: NDArray[np.uint32],
    starts: list[int],
    first: int,
    last: int,
    file: BinaryIO,
    size: int,
) -> NDArray[np.uint8]:
    """The records of the final places from ``first`` up to ``last``, a segment of each chunk.

    ``size`` is the bytes of a record.
    """
    gathered = np.empty((last - first, size), np.uint8)
    for start, end in pairwise(starts):
        low, high = start + np.searchsorted(positions[start:end], (first, last))
        file.seek(int(low) * size)
        segment = file.read(int(high - low) * size)
        places = positions[low:high] - np.uint32(first)
        gathered[places] = np.frombuffer(segment, np.uint8).reshape(-1, size)
    return gathered


def _plan(directory: Path, split: str, examples: int, shards: int) -> Iterator[tuple[Path, int]]:
    least, more = divmod(examples, shards)
    for number in range(shards):
        path = directory / f"{split}-{number:05}-of-{shards:05}.tfrecord"
        yield path, least + (number < more)
