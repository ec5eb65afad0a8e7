"""Where the four files can come from: directories, mirrors and buckets, by their address."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from components.dataset import bucket
from components.dataset.description import NAME
from components.dataset.disk import FULL
from components.dataset.errors import SourceError
from components.dataset.folder import list_files
from components.dataset.places import PlaceError, local_path
from components.dataset.raw import find_file, nearest, no_such_file
from components.ingest import fashion_mnist, mirror

WEB: Final = ("http://", "https://")
DESCRIPTION_BYTES: Final = 1 << 20


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
            f"source {path} is not a directory; give one with the four files of an IDX set, or "
            "leave source empty for FashionMNIST"
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

    In a directory or a bucket it may have the name that another producer gave it.

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


def description(source: str) -> bytes | None:
    """The content of the ``dataset.json`` beside the files of a source; None without one.

    Raises:
        SourceError: It cannot be read.
        BucketError: The bucket refuses or cannot be reached.
    """
    if not source.startswith(WEB) and not source.startswith(bucket.SCHEME):
        try:
            return (Path(source) / NAME).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"{source}/{NAME} cannot be read ({error.strerror})") from error
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / NAME
        if source.startswith(bucket.SCHEME):
            if bucket.stat(uri := f"{source.rstrip('/')}/{NAME}") is None:
                return None
            with path.open("wb+") as file:
                bucket.download(uri, file)
            return path.read_bytes()
        try:
            mirror.download(source, NAME, path, DESCRIPTION_BYTES)
        except mirror.TransientError as error:
            # Without its cause, which has the addresses of redirects.
            raise SourceError(f"{NAME} could not be fetched. {source}: {error}") from None
        except SourceError:
            # Mirrors answer in many ways what they do not have.
            return None
        return path.read_bytes()


def _copy_object(prefix: str, name: str, path: Path) -> None:
    exact = (f"{prefix}/{name}.gz", f"{prefix}/{name}")
    uri = next((each for each in exact if bucket.stat(each) is not None), None)
    if uri is None:
        there = [each.removeprefix(f"{prefix}/") for each in list_files(prefix)]
        found = nearest(there, name)
        if found is None:
            raise SourceError(no_such_file(name, there))
        uri = f"{prefix}/{found}"
    with path.open("wb+") as file:
        bucket.download(uri, file)


def _copy_file(directory: Path, name: str, path: Path) -> None:
    try:
        found = find_file(directory, name)
        if found is None:
            files = [each.name for each in directory.iterdir()] if directory.is_dir() else []
            raise SourceError(no_such_file(name, files))
        shutil.copyfile(found, path)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise SourceError(f"{name}.gz cannot be read ({error.strerror})") from error
