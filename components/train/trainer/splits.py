"""The examples of a split: record files, and their content in memory."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.manifest import content_digest, read_manifest
from components.dataset.records import read_records


class Examples(NamedTuple):
    """Examples in memory: uint8 [n, 28, 28] and int64 [n] in [0, 10)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Split:
    """One split: the SHA-256 of its content, and its record files, none if it is empty."""

    digest: str
    files: tuple[Path, ...] = ()

    @classmethod
    def of_directory(cls, directory: Path) -> "Split":
        """The shards that the manifest of ``directory`` lists.

        Raises:
            DataError: The manifest is missing, does not match the files, or lists no shard.
        """
        manifest = read_manifest(directory)
        names = [entry["name"] for entry in manifest["files"]]
        files = tuple(directory / name for name in names if name.endswith(".tfrecord"))
        if not files:
            raise DataError(f"the manifest of {directory} lists no .tfrecord; run decode again")
        return cls(content_digest(manifest), files if manifest.get("examples") != 0 else ())


def read_examples(files: Sequence[Path]) -> Examples:
    """All examples of record files.

    Raises:
        DataError: There are none, or a file is damaged or is something else.
    """
    batches = [batch for path in files for batch in read_records(path)]
    if not batches:
        raise DataError(f"no examples in {[str(path) for path in files]}; run decode again")
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Examples(images, labels.astype(np.int64))
