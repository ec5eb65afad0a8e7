"""The files of a data set, which appear whole or not at all."""

import contextlib
import gzip
import hashlib
import shutil
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from components.dataset.description import NAME, Description
from components.dataset.disk import FULL
from components.dataset.errors import DataError, DiskError
from components.dataset.facts import FILES
from pipeline.errors import UsageError
from pipeline.files import UNFINISHED

IMAGES: Final = 0x00000800
"""Magic number of uint8 images without the number of their dimensions."""
LABELS: Final = 0x00000801
RESULT: Final = {NAME, *(f"{name}.gz" for name in FILES)}


def check_output(out: Path, folder: Path) -> None:
    """Refuses a place where something else would be lost, or be found as a picture of the set.

    Raises:
        UsageError: It is in ``folder``, is a file, or has other files than an earlier result.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{out} is in {folder}, where the pictures are; choose a folder elsewhere")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file; choose a new folder")
    if out.resolve().is_mount():
        raise UsageError(f"{out} is a mounted disk; choose a folder on it")
    names = {each.name for each in out.iterdir()}
    if names and not (names == RESULT and _has_digests(out)):
        raise UsageError(f"{out} is not empty; choose a new folder, or remove it first")


def _has_digests(out: Path) -> bool:
    with contextlib.suppress(DataError):
        return bool(Description.read(out).digests)
    return False


@contextlib.contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A folder for the block to write to, which then takes the place of ``out``.

    It is removed after a failure, and ``out`` is as before.

    Raises:
        DiskError: The disk is full.
        OSError: It cannot be written.
    """
    place = out.resolve()
    new, former = (place.with_name(f"{start}{place.name}") for start in (UNFINISHED, ".former-"))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        yield new
        if place.exists():
            place.rename(former)
        new.rename(place)
    except OSError as error:
        if error.errno not in FULL:
            raise OSError(error.errno, error.strerror, str(out)) from error
        raise DiskError(
            f"the disk is full at {place.parent}; free some space, or choose a folder on a larger "
            "disk, and try again"
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def write_images(path: Path, images: Iterable[bytes], count: int, description: Description) -> str:
    """Writes images as a gzipped IDX file; the SHA-256 of its payload."""
    shape = description.shape
    return _write(path, IMAGES + 1 + len(shape), (count, *shape), images)


def write_labels(path: Path, labels: bytes) -> str:
    """Writes labels as a gzipped IDX file; the SHA-256 of its payload."""
    return _write(path, LABELS, (len(labels),), [labels])


def _write(path: Path, magic: int, sizes: tuple[int, ...], blocks: Iterable[bytes]) -> str:
    header = struct.pack(f">{1 + len(sizes)}I", magic, *sizes)
    digest = hashlib.sha256(header)
    # Without a name and a time, equal payloads are equal files.
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(header)
        for block in blocks:
            digest.update(block)
            packed.write(block)
    return digest.hexdigest()
