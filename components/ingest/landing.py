"""Lands the four files in the bucket: verified before they appear there, never overwritten."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.dataset import bucket
from components.dataset.disk import scratch_directory
from components.dataset.errors import BucketError, DataError
from components.dataset.facts import (
    FILES,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from components.dataset.payload import Header, Payload, read_header
from components.ingest.digests import expected_digests, raw_directory
from components.ingest.fetch import Fetched, fetch, inspect, kind_of
from components.ingest.sources import Source, resolve

DIGEST_KEY: Final = "payload-sha256"
"""The custom metadata of a landed object: the digest that its payload was verified to have."""
HEADER_BLOCK: Final = 4096
"""Bytes fetched of a landed object to read its header."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Landed:
    """What lies in the bucket now.

    Attributes:
        uri: The ``gs://`` directory of the four files.
        metadata: Facts of the content alone: ``digests``, ``examples``, ``rows``, ``columns``
            and ``verified``.
        report: How they came there: per file its source, bytes, seconds and state.
    """

    uri: str
    metadata: dict[str, Any]
    report: dict[str, Any]


def land(
    bucket_uri: str, source: str, digests: Mapping[str, str], allow_unverified: bool
) -> Landed:
    """Brings the four files to ``<bucket_uri>/raw/<key>/``; what is there already stays.

    Args:
        bucket_uri: ``gs://bucket`` or ``gs://bucket/prefix``.
        source: See ``sources.resolve``.
        digests: SHA-256 of the payload for each of ``facts.FILES``; empty: FashionMNIST's.
        allow_unverified: With empty ``digests``: takes any dataset of this form.

    Raises:
        ParameterError: ``digests`` does not name the four files, or is no SHA-256.
        SourceError: A file is not to be had.
        DataError: Images and labels differ in number.
        BucketError: The bucket is missing or refuses, or holds something else under this name.
        DiskError: The scratch disk is full.
    """
    expected = expected_digests(digests, allow_unverified)
    sources = resolve(source)
    bucket.check_bucket(bucket_uri)
    with scratch_directory("ingest") as scratch:
        present = _already_landed(bucket_uri, expected)
        fetched = _fetch_missing(sources, present, expected, scratch)
        found = expected or {name: item.content.sha256 for name, item in fetched.items()}
        directory = raw_directory(bucket_uri, found)
        headers = {name: _stored_header(f"{directory}/{name}.gz", name) for name in present}
        headers |= {name: item.content.header for name, item in fetched.items()}
        examples = _count_examples(headers)
        uploaded = [name for name, item in fetched.items() if _upload(item, directory, name)]
    metadata = {
        "digests": found,
        "examples": examples,
        "rows": IMAGE_HEIGHT,
        "columns": IMAGE_WIDTH,
        "verified": expected is not None,
    }
    _log_summary(directory, metadata, fetched, uploaded)
    return Landed(directory, metadata, _report(directory, fetched, uploaded))


def _already_landed(bucket_uri: str, expected: Mapping[str, str] | None) -> list[str]:
    if expected is None:
        return []
    directory = raw_directory(bucket_uri, expected)
    return [name for name in FILES if _is_landed(f"{directory}/{name}.gz", name, expected[name])]


def _is_landed(uri: str, name: str, digest: str) -> bool:
    """Whether the object is there; one that was not landed by a verified upload is read."""
    there = bucket.stat(uri)
    if there is None:
        return False
    if there.metadata.get(DIGEST_KEY) == digest:
        return True
    log.info("%s is there without a note of its digest: reading it", uri)
    found = inspect(bucket.ObjectReader(there), name, digest).sha256
    if found != digest:
        raise BucketError(
            f"{uri} holds a payload with the SHA-256 {found}, expected {digest}; remove the object "
            "and run again"
        )
    return True


def _fetch_missing(
    sources: Sequence[Source],
    present: Sequence[str],
    expected: Mapping[str, str] | None,
    scratch: Path,
) -> dict[str, Fetched]:
    wanted = expected or {}
    missing = [name for name in FILES if name not in present]
    return {name: fetch(sources, name, wanted.get(name), scratch) for name in missing}


def _stored_header(uri: str, name: str) -> Header:
    return read_header(Payload(bucket.open_object(uri, HEADER_BLOCK), uri), kind_of(name))


def _count_examples(headers: Mapping[str, Header]) -> dict[str, int]:
    pairs = {"train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}
    for images, labels in pairs.values():
        if headers[images].count != headers[labels].count:
            raise DataError(
                f"{images} has {headers[images].count} examples, {labels} has "
                f"{headers[labels].count} (both at byte 4); they must agree, get the set anew"
            )
    return {split: headers[images].count for split, (images, _) in pairs.items()}


def _upload(item: Fetched, directory: str, name: str) -> bool:
    """Uploads a file unless its payload is there; says whether it was uploaded."""
    uri = f"{directory}/{name}.gz"
    digest = item.content.sha256
    if _is_landed(uri, name, digest):
        return False
    try:
        return bucket.upload(item.path, uri, {DIGEST_KEY: digest})
    except bucket.ObjectDiffersError:
        # Another ingest was faster; mirrors compress differently: other bytes, same payload.
        if not _is_landed(uri, name, digest):
            raise
        return False


def _report(
    directory: str, fetched: Mapping[str, Fetched], uploaded: Sequence[str]
) -> dict[str, Any]:
    files: dict[str, dict[str, Any]] = {}
    for name in FILES:
        files[name] = {"state": "uploaded" if name in uploaded else "already there"}
        if name in fetched:
            item = fetched[name]
            files[name] |= {"source": item.source, "bytes": item.size, "seconds": item.seconds}
    return {"directory": directory, "files": files}


def _log_summary(
    directory: str,
    metadata: Mapping[str, Any],
    fetched: Mapping[str, Fetched],
    uploaded: Sequence[str],
) -> None:
    train, test = metadata["examples"]["train"], metadata["examples"]["test"]
    what = f"{train} training and {test} test examples in {directory}"
    if not fetched:
        log.info("%s: all 4 files were there already, nothing fetched, nothing uploaded", what)
        return
    how = "verified by SHA-256" if metadata["verified"] else "UNVERIFIED, no digests were given"
    log.info("%s: %d of 4 files uploaded, %s", what, len(uploaded), how)
