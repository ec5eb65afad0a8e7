"""Where the four files can come from, in the order in which they are tried."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from components.dataset import bucket, raw
from components.dataset.errors import SourceError
from components.dataset.facts import MIRRORS
from components.dataset.payload import Readable
from components.ingest.credentials import refuse_credentials
from components.ingest.mirror import Mirror


class Source(Protocol):
    """A place that has the files as ``<name>.gz`` or plain ``<name>``."""

    @property
    def label(self) -> str:
        """Its address, for logs and errors."""
        ...

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """Opens one file.

        Raises:
            SourceError, BucketError: It is not to be had here.
        """
        ...


class Directory:
    """A local directory."""

    def __init__(self, path: Path) -> None:
        self.label = str(path)
        self._path = path

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """Opens ``<name>.gz``, or ``<name>`` where there is none.

        Raises:
            SourceError: There is neither, or it may not be read.
        """
        if not self._path.is_dir():
            raise SourceError("no such directory")
        paths = (self._path / f"{name}.gz", self._path / name)
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            raise SourceError(f"no {name}.gz there")
        try:
            file = path.open("rb")
        except PermissionError as error:
            raise SourceError(f"{path.name} may not be read") from error
        with file:
            yield file


class Prefix:
    """A ``gs://bucket/prefix``."""

    def __init__(self, uri: str) -> None:
        bucket.parse_uri(uri)
        self.label = uri.rstrip("/")

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """Opens ``<name>.gz``, or ``<name>`` where there is none.

        Raises:
            SourceError: There is neither.
            BucketError: The bucket refuses or cannot be reached.
        """
        for file in (f"{name}.gz", name):
            there = bucket.stat(f"{self.label}/{file}")
            if there is not None:
                yield bucket.ObjectReader(there)
                return
        raise SourceError(f"no {name}.gz there")


def resolve(source: str) -> list[Source]:
    """The sources to try, in order.

    Args:
        source: A directory, an ``http(s)://`` base or a ``gs://`` prefix; empty: the system's
            package directory, the project's data directory, then the public mirrors.

    Raises:
        SourceError: A scheme that is not known, an address with credentials, or a directory that
            does not exist.
        BucketError: A ``gs://`` address without a bucket.
    """
    refuse_credentials(source)
    if not source:
        return [*map(Directory, raw.directories()), *(Mirror(base) for base in MIRRORS)]
    scheme, separator, _ = source.partition("://")
    if not separator:
        return [_existing(Path(source).expanduser())]
    if scheme in ("http", "https"):
        return [Mirror(source)]
    if scheme == "gs":
        return [Prefix(source)]
    raise SourceError(
        f"source {source!r} has the scheme {scheme}://, expected a directory, http://, https:// "
        "or gs://"
    )


def _existing(path: Path) -> Directory:
    if not path.is_dir():
        raise SourceError(
            f"source {path} is not a directory; give one that holds the four .gz files, or leave "
            "source empty to download them"
        )
    return Directory(path.absolute())
