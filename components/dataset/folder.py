"""A local folder and its copy in a bucket, for outputs that are written as files.

Every function raises BucketError if the bucket is missing, refuses, or cannot be reached.
"""

import contextlib
from pathlib import Path

from components.dataset.bucket import SCHEME, download, parse_uri, storage_call, upload


def fetch(uri: str, folder: Path) -> list[Path]:
    """Copies all files below ``uri`` into ``folder``, and returns them; their CRC32C is checked."""
    prefix = f"{uri.rstrip('/')}/"
    addresses = list_files(uri)
    return sorted(fetch_object(each, folder / each.removeprefix(prefix)) for each in addresses)


def list_files(uri: str) -> list[str]:
    """The addresses of the objects below ``uri`` that can be files of a folder, sorted.

    Left out: names that end with "/", which mark a folder, and names with "..".
    """
    bucket, name = parse_uri(uri)
    prefix = f"{name}/" if name else ""
    with storage_call(uri, "objectViewer") as (client, call):
        names = sorted(blob.name for blob in client.list_blobs(bucket, prefix=prefix, **call))
    return [
        f"{SCHEME}{bucket}/{each}"
        for each in names
        if not {"", ".", ".."} & set(each.removeprefix(prefix).split("/"))
    ]


def fetch_object(uri: str, path: Path) -> Path:
    """Copies one object to ``path``; its CRC32C is checked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb+") as file:
        download(uri, file)
    return path


def publish(folder: Path, uri: str) -> None:
    """Makes the objects below ``uri`` equal to the files of ``folder``, the oldest first.

    Objects that the folder no longer has are removed last, so that readers of several files find
    all of them once the last one appears.
    """
    there = set(list_files(uri))
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: (path.stat().st_mtime_ns, str(path)),
    )
    for path in files:
        address = f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}"
        upload(path, address, overwrite=True)
        there.discard(address)
    for address in there:
        _delete(address)


def remove(uri: str) -> None:
    """Removes all files below ``uri``."""
    for address in list_files(uri):
        _delete(address)


def _delete(uri: str) -> None:
    """Removes an object; it is fine if another process has removed it."""
    from google.api_core.exceptions import NotFound

    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectAdmin") as (client, call), contextlib.suppress(NotFound):
        client.bucket(bucket).blob(name).delete(**call)
