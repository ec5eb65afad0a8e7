"""Where the four files can come from, in the order in which they are tried."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from components.dataset import bucket, raw
from components.dataset.errors import SourceError
from components.dataset.facts import MIRRORS
from components.dataset.payload import Readable
from components.ingest.connection import refuse_link_local
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
            SourceError: There is neither, or it cannot be read.
        """
        try:
            if not self._path.is_dir():
                raise SourceError("no such directory")
            paths = (self._path / f"{name}.gz", self._path / name)
            path = next((path for path in paths if path.is_file()), None)
            if path is None:
                raise SourceError(f"no {name}.gz there")
            file = path.open("rb")
        except OSError as error:
            raise SourceError(f"{name}.gz cannot be read ({error.strerror})") from error
        with file:
            yield File(file)


class File:
    """An open file of a local directory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        """Reads at most ``size`` bytes.

        Raises:
            SourceError: The disk fails.
        """
        try:
            return self._file.read(size)
        except OSError as error:
            raise SourceError(
                f"cannot be read at byte {self._file.tell()} ({error.strerror})"
            ) from error


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
        source: A directory, also as ``file:///…``, an ``http(s)://`` base or a ``gs://`` prefix;
            empty: the system's package directory, the project's data directory, then the public
            mirrors.

    Raises:
        SourceError: A scheme that is not known, an address with credentials or one that cannot be
            used, or a directory that does not exist.
        BucketError: A ``gs://`` address without a bucket.
    """
    refuse_credentials(source)
    if not source:
        return [*map(Directory, raw.directories()), *(Mirror(base) for base in MIRRORS)]
    scheme, separator, rest = source.partition("://")
    if not separator:
        return [_existing(source)]
    if scheme in ("http", "https"):
        return [_mirror(source)]
    if scheme == "gs":
        return [Prefix(source)]
    if scheme == "file" and rest.startswith("/"):
        return [_existing(unquote(rest))]
    raise SourceError(
        f"source has the scheme {scheme}://, expected a directory, file:///, http://, https:// or "
        "gs://"
    )


def _mirror(base: str) -> Mirror:
    try:
        parts = urlsplit(base)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if not host:
        # The parser's own words repeat the address, and with it what may be a password.
        raise SourceError("source is no usable address: its host or its port is none; correct it")
    refuse_link_local(host)
    return Mirror(base)


def _existing(name: str) -> Directory:
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        path = Path(name)
    if not path.is_dir():
        raise SourceError(
            f"source {path} is not a directory; give one that holds the four .gz files, or leave "
            "source empty to download them"
        )
    return Directory(path.absolute())
