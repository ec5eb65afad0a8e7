"""Objects in a Cloud Storage bucket: looked at, streamed, and written once."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import google_crc32c

from components.dataset.errors import BucketError
from components.dataset.redaction import one_line
from components.dataset.storage import storage_call

SCHEME: Final = "gs://"
BLOCK: Final = 8 << 20
"""Bytes of one request when an object is read or written."""
UPLOADS: Final = 3
"""How often an upload begins before it is given up."""


class ObjectDiffersError(BucketError):
    """An object that is already there, with other bytes than those to be written."""


@dataclass(frozen=True)
class StoredObject:
    """An object in a bucket.

    Attributes:
        uri: Its ``gs://`` address.
        size: Bytes as stored.
        crc32c: Base64 of its big-endian CRC32C, as the service gives it.
        generation: The version of the object that was looked at.
        metadata: The custom metadata.
    """

    uri: str
    size: int
    crc32c: str
    generation: int
    metadata: Mapping[str, str] = field(default_factory=dict)


def parse_uri(uri: str) -> tuple[str, str]:
    """Splits ``gs://bucket/a/b`` into ``bucket`` and ``a/b``, without slashes at the end.

    Raises:
        BucketError: It is no such address.
    """
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise BucketError(f"{uri!r} is not a bucket address, expected gs://BUCKET or gs://BUCKET/…")
    return bucket, name.rstrip("/")


def check_bucket(uri: str) -> None:
    """Checks that the bucket of ``uri`` is there and may be looked into.

    Raises:
        BucketError: It is missing, refuses, or cannot be reached.
    """
    bucket, name = parse_uri(uri)
    with storage_call(f"{SCHEME}{bucket}", "objectAdmin") as (client, call):
        # A listing needs no permission beyond those of the storage.object* roles.
        list(client.list_blobs(bucket, prefix=name, max_results=1, **call))


def list_objects(uri: str) -> list[str]:
    """The ``gs://`` addresses of all objects below ``uri``, sorted.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectViewer") as (client, call):
        found = client.list_blobs(bucket, prefix=f"{name}/" if name else None, **call)
        return sorted(f"{SCHEME}{bucket}/{blob.name}" for blob in found)


def stat(uri: str) -> StoredObject | None:
    """Looks at an object; None where there is none.

    Raises:
        BucketError: The bucket refuses or cannot be reached.
    """
    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectViewer") as (client, call):
        blob = client.bucket(bucket).get_blob(name, **call)
    if blob is None:
        return None
    return StoredObject(uri, blob.size, blob.crc32c, blob.generation, blob.metadata or {})


class BrokenUploadError(BucketError):
    """An upload that cannot go on; nothing has appeared."""


def upload(path: Path, uri: str, metadata: Mapping[str, str], *, overwrite: bool = False) -> bool:
    """Writes a file to an address where nothing is yet, or over what is there if that is asked.

    The service checks the CRC32C before the object appears. An upload that breaks off begins anew.

    Returns:
        True when it was written, False when the same bytes were there already.

    Raises:
        ObjectDiffersError: Something else is there already.
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    crc32c = crc32c_of(path)
    for left in reversed(range(UPLOADS)):
        try:
            return _upload_once(path, uri, metadata, crc32c, overwrite=overwrite)
        except BrokenUploadError:
            if not left:
                raise
    raise AssertionError


def _upload_once(
    path: Path, uri: str, metadata: Mapping[str, str], crc32c: str, *, overwrite: bool
) -> bool:
    from google.api_core import exceptions

    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectAdmin") as (client, call):
        blob = client.bucket(bucket).blob(name, chunk_size=BLOCK)
        blob.metadata = dict(metadata)
        try:
            blob.upload_from_filename(
                str(path),
                content_type="application/gzip" if path.suffix == ".gz" else None,
                if_generation_match=None if overwrite else 0,
                checksum="crc32c",
                crc32c_checksum_value=crc32c,
                **call,
            )
        except exceptions.PreconditionFailed:
            return _same_as_stored(path, uri, crc32c)
        except (exceptions.GoogleAPICallError, ValueError) as error:
            # ValueError is the client's where the service kept less than it was sent.
            if isinstance(error, ValueError) or _is_broken(error.code, str(error)):
                raise BrokenUploadError(
                    f"the upload of {uri} broke off ({one_line(error)}); run again"
                ) from error
            raise
    return True


def _is_broken(code: int | None, text: str) -> bool:
    """Whether an upload was refused as damaged, lost or incomplete, but may be begun again.

    With 200, where the answer was cut off before it said where to send the content.
    """
    return code in (200, 308, 400, 404, 410) and "bucket does not exist" not in text


def _same_as_stored(path: Path, uri: str, crc32c: str) -> bool:
    there = stat(uri)
    if there is None or (there.crc32c, there.size) != (crc32c, path.stat().st_size):
        raise ObjectDiffersError(
            f"{uri} is already there with other bytes than {path.name} and is not overwritten; "
            "remove it or use another bucket_uri"
        )
    return False


class ObjectReader:
    """Reads an object from its beginning, once, and checks its CRC32C at the end."""

    def __init__(self, there: StoredObject, block: int = BLOCK) -> None:
        self.name = there.uri
        self._there = there
        self._position = 0
        self._crc = google_crc32c.Checksum()
        bucket, name = parse_uri(there.uri)
        with storage_call(there.uri, "objectViewer") as (client, call):
            # The pinned generation: what is read is what was looked at.
            blob = client.bucket(bucket).blob(name, generation=there.generation)
            self._stream = blob.open("rb", chunk_size=block, raw_download=True, **call)

    def read(self, size: int, /) -> bytes:
        """Reads at most ``size`` bytes; none at the end.

        Raises:
            BucketError: The object is gone, has changed, or arrived damaged.
        """
        wanted = min(size, self._there.size - self._position)
        if wanted <= 0:
            return b""
        with storage_call(self.name, "objectViewer"):
            content: bytes = self._stream.read(wanted)
        self._crc.update(content)
        self._position += len(content)
        if len(content) < wanted or self._at_end_with_other_checksum():
            raise BucketError(f"{self.name} arrived damaged (CRC32C or size differ); run again")
        return content

    def _at_end_with_other_checksum(self) -> bool:
        found = base64.b64encode(self._crc.digest()).decode()
        return self._position == self._there.size and found != self._there.crc32c


def open_object(uri: str, block: int = BLOCK) -> ObjectReader:
    """Opens an object for reading as a stream.

    Args:
        uri: ``gs://bucket/name``.
        block: Bytes of one request.

    Raises:
        BucketError: It is not there, the bucket refuses, or cannot be reached.
    """
    there = stat(uri)
    if there is None:
        raise BucketError(f"{uri} is gone; run again with --no-cache to land it anew")
    return ObjectReader(there, block)


def crc32c_of(path: Path) -> str:
    """The CRC32C of a file as the service gives it: base64 of its big-endian bytes."""
    checksum = google_crc32c.Checksum()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            checksum.update(block)
    return base64.b64encode(checksum.digest()).decode()
