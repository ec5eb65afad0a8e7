"""Puts rows that do not fit in memory into another order, by way of a scratch file."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint8]


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
