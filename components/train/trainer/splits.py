"""The examples of a split: record files, and their content in memory."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.manifest import content_digest, read_manifest
from components.dataset.pixels import Pixels
from components.dataset.records import read_records

SCORED: Final = 1000 * 28 * 28
"""Values of the images that are scored at a time."""


class Examples(NamedTuple):
    """Examples in memory: uint8 [n, h, w(, 3)] and int64 [n], each below the number of classes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def batches(self) -> Iterator["Examples"]:
        """All of them in batches, as many at a time as a network can score in little memory."""
        size = max(1, SCORED // max(1, self.images[:1].size))
        for start in range(0, len(self.labels), size):
            part = slice(start, start + size)
            yield Examples(self.images[part], self.labels[part])


@dataclasses.dataclass(frozen=True)
class Split:
    """One split: the SHA-256 of its content, what it is, and its record files, none if empty."""

    digest: str
    description: Description
    files: tuple[Path, ...] = ()

    @classmethod
    def of_directory(cls, directory: Path) -> "Split":
        """The shards that the manifest of ``directory`` lists.

        Raises:
            DataError: The manifest is missing, does not match the files, or lists no shard; or the
                directory does not say what they are.
        """
        manifest = read_manifest(directory)
        names = [entry["name"] for entry in manifest["files"]]
        files = tuple(directory / name for name in names if name.endswith(".tfrecord"))
        if not files:
            raise DataError(f"the manifest of {directory} lists no .tfrecord; run decode again")
        files = files if manifest.get("examples") != 0 else ()
        return cls(content_digest(manifest), Description.read(directory), files)

    def measured(self) -> Description:
        """The description with mean and deviation of the pixels, which may have to be counted."""
        batches = (read_records(path, self.description) for path in self.files)
        return measured(self.description, (images for each in batches for images, _ in each))


def measured(description: Description, images: Iterable[NDArray[np.uint8]]) -> Description:
    """A description with mean and deviation: its own, or those of batches of images."""
    if description.mean and description.deviation:
        return description
    pixels = Pixels(description.channels)
    for batch in images:
        pixels.add(batch)
    return dataclasses.replace(description, mean=pixels.mean, deviation=pixels.deviation)


def read_examples(*splits: Split) -> Examples:
    """All examples of some splits, which have the same description.

    Raises:
        DataError: There are none, or a file is damaged or is something else.
    """
    files = [(path, split.description) for split in splits for path in split.files]
    batches = [batch for file in files for batch in read_records(*file)]
    if not batches:
        raise DataError(f"no examples in {[str(path) for path, _ in files]}; run decode again")
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Examples(images, labels.astype(np.int64))
