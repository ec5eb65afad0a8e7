"""Opens the raw files: in a bucket, or in a local directory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from components.dataset.bucket import SCHEME, download, stat
from components.dataset.description import FASHION_MNIST, NAME, Description
from components.dataset.errors import DataError


@contextmanager
def open_raw(uri: str, name: str) -> Iterator[BinaryIO]:
    """Opens ``<name>.gz`` below ``uri``, in a local directory also plain ``<name>``.

    An object is first copied to the temporary directory, where its CRC32C is checked.

    Raises:
        BucketError: The object is missing or damaged, the bucket refuses or cannot be reached.
        DataError: The directory has no such file.
    """
    if uri.startswith(SCHEME):
        with tempfile.TemporaryFile() as copy:
            download(f"{uri.rstrip('/')}/{name}.gz", copy)
            yield copy
        return
    path = find_file(Path(uri), name)
    if path is None:
        raise DataError(f"{uri or 'the raw dataset'} has no {name}.gz; run ingest first")
    with path.open("rb") as file:
        yield file


def read_description(uri: str) -> Description:
    """The description of the raw files below ``uri``.

    Raises:
        BucketError: The object is missing or damaged, the bucket refuses or cannot be reached.
        DataError: It is missing or damaged.
    """
    if not uri.startswith(SCHEME):
        there = uri and (Path(uri) / NAME).is_file()
        return Description.read(Path(uri)) if there else FASHION_MNIST
    address = f"{uri.rstrip('/')}/{NAME}"
    if stat(address) is None:
        return FASHION_MNIST
    with tempfile.TemporaryFile() as copy:
        download(address, copy)
        copy.seek(0)
        return Description.parse(copy.read(), address)


def find_file(directory: Path, name: str) -> Path | None:
    """``<name>.gz`` in a directory, or ``<name>``, or None."""
    paths = (directory / f"{name}.gz", directory / name)
    return next((path for path in paths if path.is_file()), None)
