"""The test examples in memory: 8 MB for the official ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.manifest import content_digest, read_manifest
from components.dataset.records import read_records


@dataclass(frozen=True)
class Examples:
    """Examples in the order of their records.

    Attributes:
        images: uint8 [n, 28, 28].
        labels: uint8 [n].
        digest: Content digest of the records' directory.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    digest: str


def read_examples(directory: Path) -> Examples:
    """Reads all records of a directory.

    Raises:
        DataError: The directory is unfinished, damaged, or holds no example.
    """
    manifest = read_manifest(directory)
    names = [entry["name"] for entry in manifest["files"] if entry["name"].endswith(".tfrecord")]
    batches = [batch for name in sorted(names) for batch in read_records(directory / name)]
    if not batches:
        raise DataError(f"{directory} holds no test example; run again with --no-cache")
    return Examples(
        images=np.concatenate([images for images, _ in batches]),
        labels=np.concatenate([labels for _, labels in batches]),
        digest=content_digest(manifest),
    )
