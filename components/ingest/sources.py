"""Where the four files can come from: directories, mirrors and buckets, by their address."""

import re
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from components.dataset import bucket
from components.dataset.disk import FULL
from components.dataset.errors import SourceError
from components.dataset.places import PlaceError, local_path
from components.dataset.raw import find_file
from components.ingest import fashion_mnist, mirror

WEB: Final = ("http://", "https://")


def resolve(source: str) -> list[str]:
    """The sources to try, in order: paths of directories, and addresses.

    A source is a directory, also as ``file:///…``, an ``http(s)://`` base or a ``gs://`` prefix.
    If it is empty: the system's package directory, the project's data directory, then the public
    mirrors.

    Raises:
        SourceError: As ``check_address``, or a directory that does not exist.
    """
    if not source:
        return [*map(str, fashion_mnist.directories()), *fashion_mnist.MIRRORS]
    check_address(source)
    path = None if source.startswith(WEB) else local_path(source)
    if path is None:
        return [source]
    if not path.is_dir():
        raise SourceError(
            f"source {path} is not a directory; give one with the four .gz files, or leave source "
            "empty to download them"
        )
    return [str(path.absolute())]


def check_address(source: str) -> None:
    """Refuses an address that cannot be used, or has a user, a password or a signature.

    Directories pass.

    A source is a parameter of the pipeline, and parameters are stored as plain text: in the job,
    in metadata, in summaries and logs. The error does not repeat the address.

    Raises:
        SourceError: ``source`` is such an address.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        return
    try:
        parts = urlsplit(source)
        usable = scheme == "file" or bool(parts.hostname and parts.port != 0)
    except ValueError:
        usable = False
    if "@" in rest.partition("/")[0]:
        raise SourceError(
            "source has a user or a password in its address, and a run stores its parameters as "
            "plain text; leave it out and put it into ~/.netrc, or give a gs:// prefix"
        )
    if re.search("[?#]", rest):
        raise SourceError(
            "source has a query or a fragment, and the names of the four files are appended to it; "
            "give the base address alone, or a gs:// prefix"
        )
    try:
        if not source.startswith(WEB):
            local_path(source)
    except PlaceError as error:
        raise SourceError(
            f"source has the scheme {scheme}://, expected a directory, file:///, http://, "
            "https:// or gs://"
        ) from error
    if not usable:
        raise SourceError("source is not a usable address: correct its host or its port")


def download(source: str, name: str, path: Path, limit: int) -> None:
    """Writes ``<name>.gz`` of a source to ``path``, or ``<name>`` where that is not there.

    Over HTTP it accepts at most ``limit`` bytes.

    Raises:
        SourceError: The source does not have it, or fails.
        BucketError: The bucket refuses or cannot be reached.
    """
    if source.startswith(WEB):
        mirror.download(source, name, path, limit)
    elif source.startswith(bucket.SCHEME):
        _copy_object(source.rstrip("/"), name, path)
    else:
        _copy_file(Path(source), name, path)


def _copy_object(prefix: str, name: str, path: Path) -> None:
    for uri in (f"{prefix}/{name}.gz", f"{prefix}/{name}"):
        if bucket.stat(uri) is not None:
            with path.open("wb+") as file:
                bucket.download(uri, file)
            return
    raise SourceError(f"no {name}.gz there")


def _copy_file(directory: Path, name: str, path: Path) -> None:
    try:
        found = find_file(directory, name)
        if found is None:
            raise SourceError(f"no {name}.gz there")
        shutil.copyfile(found, path)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise SourceError(f"{name}.gz cannot be read ({error.strerror})") from error
