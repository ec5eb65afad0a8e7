"""The files of a training job: those that a pattern names, or the official ones."""

import fnmatch
import glob
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from components.dataset import idx
from components.dataset.bucket import SCHEME
from components.dataset.errors import DataError
from components.dataset.facts import TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.folder import fetch_object, list_files
from components.dataset.manifest import file_digest
from components.dataset.raw import find_file
from components.dataset.split import shuffled_positions
from components.ingest.fashion_mnist import find_raw

from .splits import Examples, Split

IMAGES: Final = "-images-idx3-ubyte"
LABELS: Final = "-labels-idx1-ubyte"
"""How the names of IDX files end, without ``.gz``; what comes before pairs them."""
VALIDATION_EXAMPLES: Final = 5000
"""Held out of the official training examples, like the pipeline's ``validation_examples``."""


def matching(pattern: str, scratch: Path) -> Split:
    """The files that match a glob, in the order of their names.

    Args:
        pattern: Of TFRecord files, or of IDX files (images and labels, ``.gz`` or not), local or
            ``gs://``; in a bucket only the file's name is a pattern.
        scratch: Where files from a bucket are kept while they are used.

    Raises:
        DataError: None matches, or a raw file is damaged or has no partner.
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    files = _matches(pattern, scratch)
    if not files:
        raise DataError(
            f"no file matches {pattern!r}; give a glob of TFRecord files, or of IDX files "
            "with images and labels"
        )
    if any(IMAGES in path.name or LABELS in path.name for path in files):
        return _in_memory(_read_raw(files))
    return Split(hashlib.sha256("".join(map(file_digest, files)).encode()).hexdigest(), files)


def official(seed: int) -> tuple[Split, Split]:
    """Training and validation split of the official training files on this machine.

    They are decoded in memory, and split as the step ``decode`` splits them.

    Args:
        seed: Of the split.

    Raises:
        DataError: The files are not on this machine, or damaged.
    """
    directory = find_raw()
    names = (TRAIN_IMAGES, TRAIN_LABELS)
    images, labels = _read_pair(*(find_file(directory, name) or directory / name for name in names))
    positions = shuffled_positions(labels.astype(np.uint8), VALIDATION_EXAMPLES, seed)
    train, validation = np.split(np.argsort(positions), [-VALIDATION_EXAMPLES])
    return (
        _in_memory(Examples(images[train], labels[train])),
        _in_memory(Examples(images[validation], labels[validation])),
    )


def _in_memory(examples: Examples) -> Split:
    digest = hashlib.sha256(examples.images.tobytes() + examples.labels.tobytes())
    return Split(digest.hexdigest(), examples=examples)


def _matches(pattern: str, scratch: Path) -> tuple[Path, ...]:
    if not pattern.startswith(SCHEME):
        names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - a pattern may be absolute
        return tuple(path for path in map(Path, sorted(names)) if path.is_file())
    folder, _, files = pattern.rpartition("/")
    here = Path(tempfile.mkdtemp(dir=scratch))
    names = [address.removeprefix(f"{folder}/") for address in list_files(folder)]
    return tuple(
        fetch_object(f"{folder}/{name}", here / name)
        for name in names
        if "/" not in name and fnmatch.fnmatchcase(name, files)
    )


def _read_raw(files: Sequence[Path]) -> Examples:
    by_name = {path.name.removesuffix(".gz"): path for path in files}
    pairs = [(name, name.replace(IMAGES, LABELS)) for name in by_name if IMAGES in name]
    if {name for pair in pairs for name in pair} != by_name.keys():
        raise DataError(
            f"{', '.join(by_name)} are not pairs of IDX files; the pattern must match images "
            f"(…{IMAGES}) with their labels (…{LABELS}) and nothing else"
        )
    return Examples.joined(_read_pair(by_name[images], by_name[labels]) for images, labels in pairs)


def _read_pair(images: Path, labels: Path) -> Examples:
    with images.open("rb") as pixels, labels.open("rb") as classes:
        examples = Examples(
            idx.read_all(pixels, str(images), idx.IMAGES),
            idx.read_all(classes, str(labels), idx.LABELS).astype(np.int64),
        )
    if not 0 < len(examples.images) == len(examples.labels):
        raise DataError(
            f"{images} has {len(examples.images)} images and {labels} has "
            f"{len(examples.labels)} labels; there must be as many of both, at least one"
        )
    return examples
