"""The files of a training job: those that a pattern names, or the official ones."""

import dataclasses
import fnmatch
import glob
import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.dataset import idx
from components.dataset.bucket import SCHEME
from components.dataset.description import NAME, Description
from components.dataset.errors import DataError
from components.dataset.facts import TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.folder import fetch_object, list_files
from components.dataset.manifest import MANIFEST, file_digest
from components.dataset.places import local_path
from components.dataset.raw import find_file
from components.dataset.records import frame_records
from components.dataset.split import ONE_IN, shuffled_positions
from components.ingest.fashion_mnist import DESCRIPTION, find_raw

from .splits import Split, measured

IDX: Final = re.compile(r"(.*)(images|labels)[.-]idx[1-4]")
"""How the names of IDX files begin; what comes first pairs images with their labels."""
OFFICIAL: Final = dataclasses.replace(DESCRIPTION, digests={})
"""FashionMNIST, of which nobody has looked at the digests."""
NOT_EXAMPLES: Final = (MANIFEST, NAME)


def matching(patterns: Sequence[str], scratch: Path) -> Split:
    """The files that match globs, each once, in the order of their names.

    They are TFRecord files, or IDX files (images and labels, ``.gz`` or not), here or in a bucket,
    where only the file's name is a pattern. Copies are kept in ``scratch``. The ``dataset.json``
    in the folder of the first file describes them; IDX files without one are FashionMNIST's.

    Raises:
        DataError: A glob matches none, a raw file is damaged or has no partner, or record files
            have no description.
        PlaceError: A glob is an address that is not in a bucket of Cloud Storage.
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    # Sorted all together: a shell sorts what it expands in an order of its own.
    files = sorted({path for pattern in patterns for path in _matches(pattern, scratch)}, key=str)
    folder = files[0].parent
    described = Description.read(folder) if (folder / NAME).is_file() else None
    if any(IDX.match(path.name) for path in files):
        about = described or OFFICIAL
        pairs = [_read_pair(images, labels, about) for images, labels in _paired(files)]
        images, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        return _written(images, labels, about, scratch)
    if described is None:
        raise DataError(
            f"the files that match {patterns[0]!r} have no {NAME} in their folder, which describes "
            "them; copy it there from the directory that decode wrote"
        )
    return _split(files, described)


def official(seed: int, scratch: Path) -> tuple[Split, Split]:
    """Training and validation split of the official training files on this machine.

    They have the same examples in the same order as what the step ``decode`` writes.

    Raises:
        DataError: The files are not on this machine, or damaged.
    """
    directory = find_raw()
    names = (TRAIN_IMAGES, TRAIN_LABELS)
    images, labels = (find_file(directory, name) or directory / name for name in names)
    pixels, classes = _read_pair(images, labels, OFFICIAL)
    about, count = measured(OFFICIAL, [pixels]), len(classes) // ONE_IN
    order = np.argsort(shuffled_positions(classes, about.classes, count, seed))
    train, validation = (
        _written(pixels[part], classes[part], about, scratch)
        for part in np.split(order, [len(order) - count])
    )
    return train, validation


def _written(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], about: Description, scratch: Path
) -> Split:
    path = Path(tempfile.mkdtemp(dir=scratch)) / "examples.tfrecord"
    # In the records the pictures are upright and the labels begin at 0.
    about = dataclasses.replace(about, first_label=0, transposed=False)
    frame_records(images, labels, about).tofile(path)
    return _split([path], about)


def _split(files: Sequence[Path], description: Description) -> Split:
    parts = [*map(file_digest, files), description.text()]
    return Split(hashlib.sha256("".join(parts).encode()).hexdigest(), description, tuple(files))


def _matches(pattern: str, scratch: Path) -> list[Path]:
    local = local_path(pattern)
    if local is not None:
        names = glob.glob(str(local), recursive=True)  # noqa: PTH207 - it may be absolute
        found = [
            path for path in map(Path, names) if path.is_file() and path.name not in NOT_EXAMPLES
        ]
    else:
        folder, _, files = pattern.rpartition("/")
        here = scratch / "inputs" / folder.removeprefix(SCHEME)
        names = [address.removeprefix(f"{folder}/") for address in list_files(folder)]
        found = [
            fetch_object(f"{folder}/{name}", here / name)
            for name in names
            if "/" not in name and name not in NOT_EXAMPLES and fnmatch.fnmatchcase(name, files)
        ]
        if found and NAME in names:
            fetch_object(f"{folder}/{NAME}", here / NAME)
    if not found:
        raise DataError(
            f"no file matches {pattern!r}; give a glob of TFRecord files, or of IDX files "
            "with images and labels"
        )
    return found


def _paired(files: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The image files, each with its file of labels."""
    pairs: dict[Path, dict[str, Path]] = {}
    others = []
    for path in files:
        if found := IDX.match(path.name):
            pairs.setdefault(path.with_name(found[1] + "-"), {})[found[2]] = path
        else:
            others.append(path)
    if others or any(len(pair) < 2 for pair in pairs.values()):
        raise DataError(
            f"{', '.join(path.name for path in files)} are not pairs of IDX files; give images "
            "(…-images-idx3-ubyte) with their labels (…-labels-idx1-ubyte) and nothing else"
        )
    return [(pair["images"], pair["labels"]) for pair in pairs.values()]


def _read_pair(
    images: Path, labels: Path, about: Description
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with images.open("rb") as first, labels.open("rb") as second:
        pixels = idx.read_all(first, str(images), idx.IMAGES, about)
        classes = idx.read_all(second, str(labels), idx.LABELS, about)
    if not 0 < len(pixels) == len(classes):
        raise DataError(
            f"{images} has {len(pixels)} images and {labels} has {len(classes)} labels; there "
            "must be as many of both, at least one"
        )
    return pixels, classes
