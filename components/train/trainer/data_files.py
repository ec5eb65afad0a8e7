"""The files of a training job: those that a pattern names, or the official ones."""

import fnmatch
import glob
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.dataset import idx
from components.dataset.bucket import SCHEME
from components.dataset.errors import DataError
from components.dataset.facts import CLASS_NAMES, TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.folder import fetch_object, list_files
from components.dataset.manifest import MANIFEST, file_digest
from components.dataset.places import local_path
from components.dataset.raw import find_file
from components.dataset.records import frame_records
from components.dataset.split import shuffled_positions
from components.ingest.fashion_mnist import find_raw

from .splits import Split

IMAGES: Final = "-images-idx3-ubyte"
LABELS: Final = "-labels-idx1-ubyte"
"""How the names of IDX files end, without ``.gz``; what comes before pairs them."""
VALIDATION_EXAMPLES: Final = 5000
"""Held out of the official training examples, like the pipeline's ``validation_examples``."""


def matching(patterns: Sequence[str], scratch: Path) -> Split:
    """The files that match globs, each once, in the order of their names.

    They are TFRecord files, or IDX files (images and labels, ``.gz`` or not), here or in a bucket,
    where only the file's name is a pattern. Copies are kept in ``scratch``.

    Raises:
        DataError: A glob matches none, or a raw file is damaged or has no partner.
        PlaceError: A glob is an address that is not in a bucket of Cloud Storage.
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    # Sorted all together: a shell sorts what it expands in an order of its own.
    files = sorted({path for pattern in patterns for path in _matches(pattern, scratch)}, key=str)
    if any(IMAGES in path.name or LABELS in path.name for path in files):
        pairs = [_read_pair(images, labels) for images, labels in _paired(files)]
        images, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        return _written(images, labels, scratch)
    digests = "".join(map(file_digest, files))
    return Split(hashlib.sha256(digests.encode()).hexdigest(), tuple(files))


def official(seed: int, scratch: Path) -> tuple[Split, Split]:
    """Training and validation split of the official training files on this machine.

    They have the same examples in the same order as what the step ``decode`` writes.

    Raises:
        DataError: The files are not on this machine, or damaged.
    """
    directory = find_raw()
    names = (TRAIN_IMAGES, TRAIN_LABELS)
    images, labels = (find_file(directory, name) or directory / name for name in names)
    pixels, classes = _read_pair(images, labels)
    order = np.argsort(shuffled_positions(classes, CLASS_NAMES, VALIDATION_EXAMPLES, seed))
    train, validation = np.split(order, [-VALIDATION_EXAMPLES])
    return (
        _written(pixels[train], classes[train], scratch),
        _written(pixels[validation], classes[validation], scratch),
    )


def _written(images: NDArray[np.uint8], labels: NDArray[np.uint8], scratch: Path) -> Split:
    path = Path(tempfile.mkdtemp(dir=scratch)) / "examples.tfrecord"
    frame_records(images, labels).tofile(path)
    return Split(file_digest(path), (path,))


def _matches(pattern: str, scratch: Path) -> list[Path]:
    local = local_path(pattern)
    if local is not None:
        names = glob.glob(str(local), recursive=True)  # noqa: PTH207 - it may be absolute
        found = [path for path in map(Path, names) if path.is_file() and path.name != MANIFEST]
    else:
        folder, _, files = pattern.rpartition("/")
        here = scratch / "inputs" / folder.removeprefix(SCHEME)
        names = [address.removeprefix(f"{folder}/") for address in list_files(folder)]
        found = [
            fetch_object(f"{folder}/{name}", here / name)
            for name in names
            if "/" not in name and name != MANIFEST and fnmatch.fnmatchcase(name, files)
        ]
    if not found:
        raise DataError(
            f"no file matches {pattern!r}; give a glob of TFRecord files, or of IDX files "
            "with images and labels"
        )
    return found


def _paired(files: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The image files, each with its file of labels."""
    by_name = {str(path).removesuffix(".gz"): path for path in files}
    pairs = {
        str(path): str(path.with_name(path.name.replace(IMAGES, LABELS)))
        for path in map(Path, by_name)
        if IMAGES in path.name
    }
    if {*pairs, *pairs.values()} != by_name.keys():
        raise DataError(
            f"{', '.join(path.name for path in files)} are not pairs of IDX files; give images "
            f"(…{IMAGES}) with their labels (…{LABELS}) and nothing else"
        )
    return [(by_name[images], by_name[labels]) for images, labels in pairs.items()]


def _read_pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with images.open("rb") as first, labels.open("rb") as second:
        pixels = idx.read_all(first, str(images), idx.IMAGES)
        classes = idx.read_all(second, str(labels), idx.LABELS)
    if not 0 < len(pixels) == len(classes):
        raise DataError(
            f"{images} has {len(pixels)} images and {labels} has {len(classes)} labels; there "
            "must be as many of both, at least one"
        )
    return pixels, classes
