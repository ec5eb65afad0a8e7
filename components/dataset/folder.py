"""A local folder and its copy in a bucket, for outputs that are written as files."""

import contextlib
from pathlib import Path

from components.dataset.bucket import BLOCK, list_objects, open_object, parse_uri, upload
from components.dataset.storage import storage_call


def fetch(uri: str, folder: Path) -> list[Path]:
    """Copies all files below ``uri`` into ``folder``; their CRC32C is checked.

    Returns:
        The files, sorted.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    prefix = f"{uri.rstrip('/')}/"
    files = []
    for address in list_files(uri):
        files.append(fetch_object(address, folder / address.removeprefix(prefix)))
    return sorted(files)


def list_files(uri: str) -> list[str]:
    """The addresses of the objects below ``uri`` that can be files of a folder, sorted.

    Not of those whose name ends with "/", with which consoles and mounts mark a folder, nor of
    those with "..", which would be outside.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    prefix = f"{uri.rstrip('/')}/"
    return [
        address
        for address in list_objects(uri)
        if not {"", ".", ".."} & set(address.removeprefix(prefix).split("/"))
    ]


def fetch_object(uri: str, path: Path) -> Path:
    """Copies one object to ``path``; its CRC32C is checked.

    Raises:
        BucketError: It is gone, damaged, or cannot be reached.
    """
    reader = open_object(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while block := reader.read(BLOCK):
            file.write(block)
    return path


def publish(folder: Path, uri: str) -> None:
    """Makes what lies below ``uri`` equal to ``folder``: its files, the oldest first.

    An object that the folder no longer has is removed last, so what needs several files is there
    once its last one is.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    there = set(list_files(uri))
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=_turn)
    for path in files:
        address = f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}"
        publish_file(path, address)
        there.discard(address)
    for address in there:
        _delete(address)


def remove(uri: str) -> None:
    """Removes all files below ``uri``.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    for address in list_files(uri):
        _delete(address)


def publish_file(path: Path, uri: str) -> None:
    """Writes a file to an address, over what is there; its CRC32C is checked.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    upload(path, uri, {}, overwrite=True)


def _delete(uri: str) -> None:
    """Removes an object; one that another process has removed meanwhile is no error."""
    from google.api_core.exceptions import NotFound

    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectAdmin") as (client, call), contextlib.suppress(NotFound):
        client.bucket(bucket).blob(name).delete(**call)


def _turn(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, str(path)
