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
from components.dataset.errors import DataError
from components.dataset.facts import TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.folder import fetch_object, list_files
from components.dataset.split import shuffled_positions
from components.ingest.fashion_mnist import find_raw

from .splits import Examples, Split, concatenate

SCHEME: Final = "gs://"
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
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    if any(IMAGES in path.name or LABELS in path.name for path in files):
        return Split(digest.hexdigest(), examples=_read_raw(files))
    return Split(digest.hexdigest(), files)


def official(seed: int) -> tuple[Split, Split]:
    """Training and validation split of the official training files on this machine.

    They are decoded in memory, and split as the step ``decode`` splits them.

    Args:
        seed: Of the split.

    Raises:
        DataError: The files are not on this machine, or damaged.
    """
    directory = find_raw()
    images, labels = (
        packed if (packed := directory / f"{name}.gz").is_file() else directory / name
        for name in (TRAIN_IMAGES, TRAIN_LABELS)
    )
    everything = _read_pair(images, labels)
    positions = shuffled_positions(everything.labels.astype(np.uint8), VALIDATION_EXAMPLES, seed)
    order = np.argsort(positions)
    train, validation = order[:-VALIDATION_EXAMPLES], order[-VALIDATION_EXAMPLES:]
    return _in_memory(everything, train), _in_memory(everything, validation)


def _in_memory(everything: Examples, chosen: NDArray[np.int64]) -> Split:
    examples = Examples(everything.images[chosen], everything.labels[chosen])
    digest = hashlib.sha256(examples.images.tobytes())
    digest.update(examples.labels.tobytes())
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
    """Pairs images and labels by what comes before their kind in the name."""
    by_name = {path.name.removesuffix(".gz"): path for path in files}
    parts = []
    for name, path in by_name.items():
        if IMAGES not in name and LABELS not in name:
            raise DataError(f"{path} is not an IDX file by its name; give records or IDX files")
        images, labels = name.replace(LABELS, IMAGES), name.replace(IMAGES, LABELS)
        if missing := {images, labels} - by_name.keys():
            raise DataError(f"{path} has no partner {missing.pop()}; the pattern must match both")
        if name == images:
            parts.append(_read_pair(path, by_name[labels]))
    return concatenate(parts)


def _read_pair(images: Path, labels: Path) -> Examples:
    with images.open("rb") as stream:
        pixels = idx.read_images(stream, str(images))
    with labels.open("rb") as stream:
        classes = idx.read_labels(stream, str(labels))
    if not len(pixels) or len(pixels) != len(classes):
        raise DataError(
            f"{images} has {len(pixels)} images and {labels} has {len(classes)} labels; there "
            "must be as many of both, at least one"
        )
    return Examples(pixels, classes.astype(np.int64))
