"""The examples of a split, in record files or in memory."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.manifest import content_digest, read_manifest


class Examples(NamedTuple):
    """Examples in memory: uint8 [n, 28, 28] and int64 [n] in [0, 10)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Split:
    """One split of the data.

    Attributes:
        digest: SHA-256 of the content.
        files: Record files; empty if the examples are in memory, or if there are none.
        examples: The examples in memory, if they were read from raw files.
    """

    digest: str
    files: tuple[Path, ...] = ()
    examples: Examples | None = None

    @property
    def empty(self) -> bool:
        """Whether it has no examples, as with ``validation_examples=0``."""
        return not self.files and self.examples is None

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


def concatenate(parts: Sequence[Examples]) -> Examples:
    """All examples of ``parts``, one part after the other."""
    return Examples(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
