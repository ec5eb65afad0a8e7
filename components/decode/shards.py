"""Puts records into another order by way of a scratch file, and writes them as shards."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import ParameterError

Rows = NDArray[np.uint8]
Shard = tuple[Path, int]
"""A file and the number of records that it gets."""


def plan_shards(directory: Path, split: str, examples: int, shards: int) -> list[Shard]:
    """Names and sizes of the shards; sizes differ by one at most.

    Returns:
        ``<split>-00000-of-00008.tfrecord`` and so on, with their numbers of records. With fewer
        examples than shards the last ones are empty.

    Raises:
        ParameterError: ``shards`` is not between 1 and 99,999.
    """
    if not 1 <= shards <= 99_999:
        raise ParameterError(f"shards is {shards}, expected 1 to 99999")
    least, more = divmod(examples, shards)
    return [
        (directory / f"{split}-{number:05}-of-{shards:05}.tfrecord", least + (number < more))
        for number in range(shards)
    ]


def write_shards(blocks: Iterable[Rows], shards: Sequence[Shard]) -> None:
    """Writes records one after another into the shards, in order.

    Args:
        blocks: uint8 [k, RECORD_BYTES], complete records, as many in all as the shards take.
        shards: Where they go.

    Raises:
        ValueError: There are fewer or more records than the shards take.
    """
    source = (block for block in blocks if len(block))
    rest: Rows = np.empty((0, 0), np.uint8)
    for path, count in shards:
        missing = count
        with path.open("wb") as file:
            while missing:
                rest = rest if len(rest) else next(source, rest)
                if not len(rest):
                    raise ValueError(f"no records left for {path}")
                piece, rest = rest[:missing], rest[missing:]
                file.write(piece.data)
                missing -= len(piece)
    if len(rest) or next(source, None) is not None:
        raise ValueError("more records than the shards take")


def permute(
    chunks: Iterable[Rows], positions: NDArray[np.uint32], scratch: BinaryIO, block: int
) -> Iterator[Rows]:
    """Yields the rows of ``chunks`` in the order that ``positions`` says.

    Each chunk is written to the scratch file sorted by final place. Then each block of final
    places is put together from one contiguous segment of every chunk. Memory: one chunk and one
    block, besides ``positions``.

    Args:
        chunks: uint8 [k, width], n rows in all.
        positions: uint32 [n]; row i goes to place ``positions[i]``. Sorted chunk-wise in place.
        scratch: An empty file to write and read.
        block: Rows that are yielded at a time.

    Yields:
        uint8 [at most block, width].
    """
    starts = [0]
    width = 0
    for rows in chunks:
        span = positions[starts[-1] : starts[-1] + len(rows)]
        order = np.argsort(span)
        scratch.write(rows[order].data)
        span[:] = span[order]
        starts.append(starts[-1] + len(rows))
        width = rows.shape[1]
    for first in range(0, len(positions), block):
        yield _gather(positions, starts, first, min(first + block, len(positions)), scratch, width)


def _gather(
    positions: NDArray[np.uint32],
    starts: list[int],
    first: int,
    last: int,
    scratch: BinaryIO,
    width: int,
) -> Rows:
    """The rows of the final places from ``first`` up to ``last``."""
    gathered = np.empty((last - first, width), np.uint8)
    for start, end in pairwise(starts):
        low, high = start + np.searchsorted(positions[start:end], (first, last))
        scratch.seek(int(low) * width)
        segment = scratch.read(int(high - low) * width)
        places = positions[low:high] - np.uint32(first)
        gathered[places] = np.frombuffer(segment, np.uint8).reshape(-1, width)
    return gathered
