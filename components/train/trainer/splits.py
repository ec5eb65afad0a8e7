"""The examples of a split, in record files or in memory."""

import dataclasses
from collections.abc import Iterable
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

    @classmethod
    def joined(cls, parts: "Iterable[Examples]") -> "Examples":
        """All examples of ``parts``, one part after the other."""
        images, labels = zip(*parts, strict=True)
        return cls(np.concatenate(images), np.concatenate(labels))


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

    def read(self) -> Examples:
        """All its examples in memory.

        Raises:
            DataError: There are none, or a file is damaged or is something else.
        """
        if self.examples is not None:
            return self.examples
        batches = [
            Examples(images, labels.astype(np.int64))
            for path in self.files
            for images, labels in read_records(path)
        ]
        if not batches:
            raise DataError(f"no examples in {[str(path) for path in self.files]}; decode again")
        return Examples.joined(batches)
