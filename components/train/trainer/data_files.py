"""The files of a job by itself: those that a pattern names, or the official ones."""

import fnmatch
import glob
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError

from .splits import Examples, Split, concatenate

SCHEME: Final = "gs://"
IMAGES: Final = "-images-idx3-ubyte"
LABELS: Final = "-labels-idx1-ubyte"
"""How the names of IDX files end, but for ``.gz``; what stands before pairs them."""
VALIDATION_EXAMPLES: Final = 5000
"""Held out of the official training examples, as the pipeline's ``validation_examples``."""


def matching(pattern: str, scratch: Path) -> Split:
    """The files that match a glob, in the order of their names.

    Args:
        pattern: Of TFRecord files, or of IDX files (images and labels, ``.gz`` or not);
            local or ``gs://``. ``*`` stays within a folder, ``**`` does not.
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
    if any(_is_raw(path) for path in files):
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
    from components.dataset.facts import TRAIN_IMAGES, TRAIN_LABELS
    from components.dataset.split import shuffled_positions
    from components.ingest.fashion_mnist import find_raw

    directory = find_raw()
    everything = _read_pair(_find(directory, TRAIN_IMAGES), _find(directory, TRAIN_LABELS))
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
    from components.dataset.folder import fetch_object, list_files

    fixed = (
        pattern.split("*", maxsplit=1)[0]
        .split("?", maxsplit=1)[0]
        .split("[", maxsplit=1)[0]
        .rpartition("/")[0]
    )
    folder = Path(tempfile.mkdtemp(dir=scratch))
    parts = pattern.split("/")
    return tuple(
        fetch_object(address, folder / address.removeprefix(f"{fixed}/"))
        for address in list_files(fixed)
        if _fits(address.split("/"), parts)
    )


def _fits(name: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a name matches, folder by folder, as ``glob`` does it with local files."""
    if not name or not pattern:
        return not name and set(pattern) <= {"**"}
    if pattern[0] == "**":
        return _fits(name, pattern[1:]) or _fits(name[1:], pattern)
    return fnmatch.fnmatchcase(name[0], pattern[0]) and _fits(name[1:], pattern[1:])


def _is_raw(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith((IMAGES, LABELS))


def _read_raw(files: Sequence[Path]) -> Examples:
    """Pairs images and labels by what stands before their kind in the name."""
    by_name = {str(path).removesuffix(".gz"): path for path in files}
    parts = []
    for name, path in by_name.items():
        partner = name.replace(IMAGES, LABELS) if IMAGES in name else name.replace(LABELS, IMAGES)
        if partner == name:
            raise DataError(
                f"{path} is no IDX file by its name; give records or IDX files, not both"
            )
        if partner not in by_name:
            raise DataError(
                f"{path} has no partner {Path(partner).name}; the pattern must match both"
            )
        if IMAGES in name:
            parts.append(_read_pair(path, by_name[partner]))
    return concatenate(parts)


def _read_pair(images: Path, labels: Path) -> Examples:
    from components.dataset import idx

    with images.open("rb") as stream:
        pixels = idx.read_images(stream, str(images))
    with labels.open("rb") as stream:
        classes = idx.read_labels(stream, str(labels))
    if not len(pixels) or len(pixels) != len(classes):
        raise DataError(
            f"{images} has {len(pixels)} images and {labels} has {len(classes)} labels; they must "
            "be as many, and one at least"
        )
    return Examples(pixels, classes.astype(np.int64))


def _find(directory: Path, name: str) -> Path:
    packed = directory / f"{name}.gz"
    return packed if packed.is_file() else directory / name
