"""Writes records as shards of near-equal size."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import ParameterError

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


def write_shards(blocks: Iterable[NDArray[np.uint8]], shards: Sequence[Shard]) -> None:
    """Writes records one after another into the shards, in order.

    Args:
        blocks: uint8 [k, RECORD_BYTES], complete records, as many in all as the shards take.
        shards: Where they go.

    Raises:
        ValueError: There are fewer or more records than the shards take.
    """
    source = iter(blocks)
    rest: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
    for path, count in shards:
        missing = count
        with path.open("wb") as file:
            while missing:
                if not len(rest):
                    rest = _next(source, path)
                piece, rest = rest[:missing], rest[missing:]
                file.write(piece.data)
                missing -= len(piece)
    if len(rest) or any(len(block) for block in source):
        raise ValueError("more records than the shards take")


def _next(source: Iterable[NDArray[np.uint8]], path: Path) -> NDArray[np.uint8]:
    for block in source:
        return block
    raise ValueError(f"no records left for {path}")
