"""Finds and opens the raw files where they lie: in a bucket, or in a local directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from components.dataset import bucket
from components.dataset.errors import DataError
from components.dataset.facts import FILES, SYSTEM_DIRECTORY
from components.dataset.payload import Readable

DATA_VARIABLE: Final = "FASHION_MNIST_DATA"
"""The environment variable that names the project's data directory."""
CHECKOUT: Final = Path(__file__).resolve().parents[2]


def directories() -> list[Path]:
    """Where this machine may have the raw files, in the order in which they are looked for.

    The system's package directory; then the project's data directory: what FASHION_MNIST_DATA
    names, else ``./data``, else the checkout's.
    """
    named = os.environ.get(DATA_VARIABLE)
    data = [Path(named)] if named else [Path("data").absolute(), CHECKOUT / "data"]
    return [Path(SYSTEM_DIRECTORY), *dict.fromkeys(data)]


def find_raw() -> Path:
    """The first of ``directories`` that has all four files.

    Raises:
        DataError: None has; the error says where they were looked for.
    """
    for directory in directories():
        if all(_file(directory, name) for name in FILES):
            return directory
    looked = ", ".join(map(str, directories()))
    raise DataError(
        f"FashionMNIST's four files are in none of {looked}; install the Debian package "
        "dataset-fashion-mnist, or put them into data/"
    )


@contextmanager
def open_raw(uri: str, name: str) -> Iterator[Readable]:
    """Opens ``<name>.gz`` below ``uri``, in a local directory also plain ``<name>``.

    Args:
        uri: ``gs://bucket/prefix`` or the path of a directory.
        name: One of ``facts.FILES``.

    Raises:
        BucketError: The object is gone, the bucket refuses, or cannot be reached.
        DataError: The directory has no such file.
    """
    if uri.startswith(bucket.SCHEME):
        yield bucket.open_object(f"{uri.rstrip('/')}/{name}.gz")
        return
    path = _file(Path(uri), name)
    if path is None:
        raise DataError(f"{uri or 'the raw dataset'} has no {name}.gz; run ingest first")
    with path.open("rb") as file:
        yield file


def _file(directory: Path, name: str) -> Path | None:
    paths = (directory / f"{name}.gz", directory / name)
    return next((path for path in paths if path.is_file()), None)
