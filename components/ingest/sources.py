"""Where the four files can come from, in the order in which they are tried."""

import re
import shutil
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from components.dataset import bucket
from components.dataset.disk import FULL
from components.dataset.errors import SourceError
from components.dataset.raw import find_file
from components.dataset.redaction import USER
from components.ingest import fashion_mnist
from components.ingest.mirror import Mirror

NO_PORT: Final = re.compile(r"://(?:\[[^\]/]*\]|[^/?#:\[]*):(?!\d*(?:[/?#]|$))")
"""A colon after the host without a port, which may precede a password."""


class Source(Protocol):
    """A place that has the files as ``<name>.gz`` or plain ``<name>``.

    Attributes:
        label: Its address, for logs and errors.
    """

    label: str

    def download(self, name: str, path: Path, limit: int) -> None:
        """Writes one file, gzipped or plain, to ``path``; over HTTP at most ``limit`` bytes.

        Raises:
            SourceError, BucketError: The source does not have it, or fails.
        """
        ...


class Directory:
    """A local directory."""

    def __init__(self, path: Path) -> None:
        self.label = str(path)
        self._path = path

    def download(self, name: str, path: Path, limit: int) -> None:
        """See ``Source.download``."""
        try:
            if not self._path.is_dir():
                raise SourceError("no such directory")
            found = find_file(self._path, name)
            if found is None:
                raise SourceError(f"no {name}.gz there")
            shutil.copyfile(found, path)
        except OSError as error:
            if error.errno in FULL:
                raise
            raise SourceError(f"{name}.gz cannot be read ({error.strerror})") from error


class Prefix:
    """A ``gs://bucket/prefix``."""

    def __init__(self, uri: str) -> None:
        bucket.parse_uri(uri)
        self.label = uri.rstrip("/")

    def download(self, name: str, path: Path, limit: int) -> None:
        """See ``Source.download``."""
        for uri in (f"{self.label}/{name}.gz", f"{self.label}/{name}"):
            if bucket.stat(uri) is not None:
                with path.open("wb+") as file:
                    bucket.download(uri, file)
                return
        raise SourceError(f"no {name}.gz there")


def resolve(source: str) -> list[Source]:
    """The sources to try, in order.

    Args:
        source: A directory, also as ``file:///…``, an ``http(s)://`` base or a ``gs://`` prefix;
            empty: the system's package directory, the project's data directory, then the public
            mirrors.

    Raises:
        SourceError: An unknown scheme, an address with credentials or one that cannot be used, or
            a directory that does not exist.
        BucketError: A ``gs://`` address without a bucket.
    """
    refuse_credentials(source)
    if not source:
        local = map(Directory, fashion_mnist.directories())
        return [*local, *map(Mirror, fashion_mnist.MIRRORS)]
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


def refuse_credentials(source: str) -> None:
    """Refuses an address with a user, a password or a signature.

    A source is a parameter of the pipeline, and parameters are stored as plain text: in the job,
    in metadata, in summaries and logs. The error does not repeat the address.

    Raises:
        SourceError: ``source`` is such an address.
    """
    if USER.search(source):
        raise SourceError(
            "source has a user or a password in its address, and a run stores its parameters as "
            "plain text; leave it out and put it into ~/.netrc, or give a gs:// prefix"
        )
    if NO_PORT.search(source):
        raise SourceError(
            "source has a colon after its host without a port, as before a password; correct the "
            "port, or put a password into ~/.netrc"
        )
    if "://" in source and re.search("[?#]", source):
        raise SourceError(
            "source has a query or a fragment, and the names of the four files are appended to it; "
            "give the base address alone, or a gs:// prefix"
        )


def _mirror(base: str) -> Mirror:
    try:
        parts = urlsplit(base)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SourceError("source is not a usable address: correct its host or its port")
    return Mirror(base)


def _existing(name: str) -> Directory:
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # The home of an unknown user.
        path = Path(name)
    if not path.is_dir():
        raise SourceError(
            f"source {path} is not a directory; give one with the four .gz files, or leave source "
            "empty to download them"
        )
    return Directory(path.absolute())
