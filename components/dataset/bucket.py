"""Objects in a Cloud Storage bucket: looked at, read, and written once.

With ``STORAGE_EMULATOR_HOST`` set the client uses that emulator without credentials, otherwise
Cloud Storage with the default credentials. Every function raises BucketError if an address is not
one, the bucket is missing, refuses or cannot be reached, or an object is missing or damaged.
"""

import base64
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

import google_crc32c

from components.dataset.errors import BucketError
from components.dataset.redaction import one_line
from components.dataset.refusals import advice, is_credentials, refusal
from components.dataset.sign_in import reading_credentials

SCHEME: Final = "gs://"
BLOCK: Final = 8 << 20
"""Bytes of one request of a resumable upload."""
TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect and between two packets."""
RETRY_SECONDS: Final = 60.0
"""How long one call is retried."""
BACKOFF_SECONDS: Final = 0.5
"""The first wait before an upload starts again is random up to this; it grows from there."""
ABSENT: Final = "bucket does not exist"
"""What the service says when the bucket is missing, not the object."""


class ObjectDiffersError(BucketError):
    """An object that already exists, with other bytes than those to be written."""


def parse_uri(uri: str) -> tuple[str, str]:
    """Splits ``gs://bucket/a/b`` into ``bucket`` and ``a/b``, without slashes at the end."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise BucketError(f"{uri!r} is not a bucket address, expected gs://BUCKET or gs://BUCKET/…")
    return bucket, name.rstrip("/")


@contextmanager
def storage_call(uri: str, role: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Gives a client and the arguments that bound its calls; they need ``roles/storage.<role>``."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption
    from google.cloud.storage.retry import DEFAULT_RETRY
    from requests import RequestException

    bounds = {"timeout": TIMEOUT, "retry": DEFAULT_RETRY.with_timeout(RETRY_SECONDS)}
    try:
        yield _client_for(os.environ.get("STORAGE_EMULATOR_HOST", "")), bounds
    except DataCorruption as error:
        raise BucketError(f"{uri} arrived damaged ({one_line(error)}); run again") from error
    except (GoogleAuthError, GoogleAPIError, RequestException) as error:
        raise BucketError(_explain(uri, role, error)) from error


@lru_cache(maxsize=4)
def _client_for(emulator: str) -> Any:
    from google.cloud.storage import Client

    # No project: objects need none, and looking for one needs the metadata server.
    with reading_credentials():
        return Client(project=None)


def _explain(uri: str, role: str, error: Exception) -> str:
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    refused = refusal(error)
    cure = advice(error, bucket=bucket, uri=uri, service="storage.googleapis.com")
    if is_credentials(error):
        fault = "needs credentials"
    elif refused.code == 404 and name and ABSENT not in refused.words:
        return f"{uri} is gone; run again with --no-cache to write it again"
    elif refused.code == 404:
        return (
            f"the bucket gs://{bucket} does not exist; create it (gcloud storage buckets create "
            f"gs://{bucket}) or give another one"
        )
    elif 400 <= refused.code < 500:
        fault = "refuses"
        if not cure and refused.facts.get("permission", "").startswith("storage."):
            account = refused.facts.get("caller", "the account that runs this step")
            cure = f"grant the role roles/storage.{role} on gs://{bucket} to {account}"
    elif refused.code >= 500:
        fault, cure = "failed", "run again in some minutes"
    else:
        fault, cure = "cannot be reached", "look at the network and run again"
    return "; ".join(filter(None, (f"{uri} {fault} ({refused.words})", cure)))


def check_bucket(uri: str) -> None:
    """Checks that the bucket of ``uri`` exists and may be listed."""
    bucket, name = parse_uri(uri)
    with storage_call(f"{SCHEME}{bucket}", "objectAdmin") as (client, call):
        # Listing needs no permission beyond what the storage.object* roles grant.
        list(client.list_blobs(bucket, prefix=name, max_results=1, **call))


def stat(uri: str) -> Any:
    """The client's ``Blob`` with size, CRC32C, generation and metadata; None without an object."""
    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectViewer") as (client, call):
        return client.bucket(bucket).get_blob(name, **call)


def download(uri: str, file: BinaryIO) -> None:
    """Writes an object's bytes as stored to ``file`` and rewinds it; the CRC32C is checked."""
    bucket, name = parse_uri(uri)
    with storage_call(uri, "objectViewer") as (client, call):
        blob = client.bucket(bucket).blob(name)
        # The client checks no download that broke off and was resumed.
        blob.download_to_file(file, raw_download=True, checksum=None, **call)
    found = _crc32c(file)
    if found != blob.crc32c:
        raise BucketError(f"{uri} arrived damaged (CRC32C {found}, not {blob.crc32c}); run again")


def upload(
    path: Path, uri: str, metadata: Mapping[str, str] | None = None, *, overwrite: bool = False
) -> bool:
    """Writes a file to an address where nothing is yet, or with ``overwrite`` over anything.

    The service checks the CRC32C before the object appears. An upload that breaks off starts
    again. If other bytes are there already, it raises ObjectDiffersError.

    Returns:
        True when it was written, False when the same bytes were there already.
    """
    from google.api_core.exceptions import PreconditionFailed
    from google.api_core.retry import Retry

    bucket, name = parse_uri(uri)
    crc32c = crc32c_of(path)
    with storage_call(uri, "objectAdmin") as (client, call):

        def send() -> None:
            blob = client.bucket(bucket).blob(name, chunk_size=BLOCK)
            blob.metadata = dict(metadata or {})
            blob.upload_from_filename(
                str(path),
                content_type="application/gzip" if path.suffix == ".gz" else None,
                if_generation_match=None if overwrite else 0,
                checksum="crc32c",
                crc32c_checksum_value=crc32c,
                **call,
            )

        try:
            Retry(predicate=_broke_off, initial=BACKOFF_SECONDS, timeout=RETRY_SECONDS)(send)()
        except PreconditionFailed:
            if (there := stat(uri)) is None:
                raise  # Another condition than that nothing is there.
            if (there.crc32c, there.size) != (crc32c, path.stat().st_size):
                raise ObjectDiffersError(
                    f"{uri} is already there with other bytes than {path.name} and is not "
                    "overwritten; remove it or use another bucket_uri"
                ) from None
            return False
    return True


def _broke_off(error: Exception) -> bool:
    """Whether an upload was refused as damaged, lost or incomplete, but may start again."""
    from google.api_core.exceptions import GoogleAPICallError

    if isinstance(error, GoogleAPICallError):
        # 200: the answer ended before it said where to send the content.
        is_passing = error.code in (200, 308, 400, 404, 410) and ABSENT not in str(error)
        return is_passing and not advice(error)
    return isinstance(error, ValueError)  # The service kept less than it was sent.


def crc32c_of(path: Path) -> str:
    """The CRC32C of a file in the service's form: base64 of its big-endian bytes."""
    with path.open("rb") as file:
        return _crc32c(file)


def _crc32c(file: BinaryIO) -> str:
    checksum = google_crc32c.Checksum()
    file.seek(0)
    while block := file.read(BLOCK):
        checksum.update(block)
    file.seek(0)
    return base64.b64encode(checksum.digest()).decode()
