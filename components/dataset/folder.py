"""A local folder and its copy in a bucket, for outputs that are written as files."""

import contextlib
from pathlib import Path

from components.dataset.bucket import list_objects, parse_uri
from components.dataset.storage import storage_call


def fetch(uri: str, folder: Path) -> list[Path]:
    """Copies all objects below ``uri`` into ``folder``; their CRC32C is checked.

    Returns:
        The files, sorted.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    prefix = f"{uri.rstrip('/')}/"
    files = []
    for address in list_objects(uri):
        path = folder / address.removeprefix(prefix)
        if not path.resolve().is_relative_to(folder.resolve()):
            continue  # A name with ".." is no file of this folder.
        files.append(fetch_object(address, path))
    return sorted(files)


def fetch_object(uri: str, path: Path) -> Path:
    """Copies one object to ``path``; its CRC32C is checked.

    Raises:
        BucketError: It is gone, damaged, or cannot be reached.
    """
    bucket, name = parse_uri(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    with storage_call(uri, "objectViewer") as (client, call):
        client.bucket(bucket).blob(name).download_to_filename(str(path), checksum="crc32c", **call)
    return path


def publish(folder: Path, uri: str) -> None:
    """Makes what lies below ``uri`` equal to ``folder``: new and changed files, oldest first.

    ``checkpoint``, with which TensorFlow names the files of the last one, comes after those files.
    An object that the folder no longer has is removed last, so a reader finds either state.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    there = set(list_objects(uri))
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=_turn)
    for path in files:
        address = f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}"
        publish_file(path, address)
        there.discard(address)
    for address in there:
        _delete(address)


def remove(uri: str) -> None:
    """Removes all objects below ``uri``.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    for address in list_objects(uri):
        _delete(address)


def publish_file(path: Path, uri: str) -> None:
    """Writes a file to an address, over what is there; its CRC32C is checked.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectAdmin") as (client, call):
        client.bucket(bucket).blob(name).upload_from_filename(str(path), checksum="crc32c", **call)


def _delete(uri: str) -> None:
    """Removes an object; one that another process has removed meanwhile is no error."""
    from google.api_core.exceptions import NotFound

    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectAdmin") as (client, call), contextlib.suppress(NotFound):
        client.bucket(bucket).blob(name).delete(**call)


def _turn(path: Path) -> tuple[bool, int, str]:
    # A file system's times can be equal where one file was written after another.
    return path.name == "checkpoint", path.stat().st_mtime_ns, str(path)
