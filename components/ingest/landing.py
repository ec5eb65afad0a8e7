"""Writes the four files to the bucket: verified before they appear there, never overwritten."""

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.dataset import bucket
from components.dataset.disk import scratch_directory
from components.dataset.errors import BucketError, DataError, ParameterError
from components.dataset.facts import (
    FILES,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from components.ingest.fashion_mnist import DIGESTS
from components.ingest.fetch import Content, Fetched, fetch, inspect
from components.ingest.sources import resolve

DIGEST_KEY: Final = "payload-sha256"
"""The custom metadata of an uploaded object: the digest that its payload was verified to have."""
EXAMPLES_KEY: Final = "examples"
"""The custom metadata of an uploaded object: the number of its examples."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Landed:
    """What is in the bucket now.

    Attributes:
        uri: The ``gs://`` directory of the four files.
        metadata: Facts of the content alone: ``digests``, ``examples``, ``rows``, ``columns``
            and ``verified``.
        report: Per file its source, bytes, seconds and state.
    """

    uri: str
    metadata: dict[str, Any]
    report: dict[str, Any]


def land(
    bucket_uri: str, source: str, digests: Mapping[str, str], allow_unverified: bool
) -> Landed:
    """Brings the four files to ``<bucket_uri>/raw/<key>/``; existing objects stay.

    Args:
        bucket_uri: ``gs://bucket`` or ``gs://bucket/prefix``.
        source: See ``sources.resolve``.
        digests: SHA-256 of the payload for each of ``facts.FILES``; empty: FashionMNIST's.
        allow_unverified: With empty ``digests``: takes any dataset of this form.

    Raises:
        ParameterError: ``digests`` does not name the four files, or a value is not a SHA-256.
        SourceError: A file could not be downloaded.
        DataError: Images and labels differ in number.
        BucketError: The bucket is missing or refuses, or has something else under this name.
        DiskError: The scratch disk is full.
    """
    expected = expected_digests(digests, allow_unverified)
    sources = resolve(source)
    bucket.check_bucket(bucket_uri)
    with scratch_directory("ingest") as scratch:
        contents = _already_landed(bucket_uri, expected, scratch)
        fetched = {
            name: fetch(sources, name, (expected or {}).get(name), scratch)
            for name in FILES
            if name not in contents
        }
        contents |= {name: item.content for name, item in fetched.items()}
        found = {name: contents[name].sha256 for name in FILES}
        examples = _count_examples(contents)
        directory = raw_directory(bucket_uri, found)
        uploaded = [name for name, item in fetched.items() if _upload(item, directory, name)]
    verified = expected is not None
    _log_summary(directory, examples, len(fetched), len(uploaded), verified)
    shape = {"rows": IMAGE_HEIGHT, "columns": IMAGE_WIDTH}
    metadata = {"digests": found, "examples": examples, **shape, "verified": verified}
    return Landed(directory, metadata, _report(directory, fetched, uploaded))


def expected_digests(digests: Mapping[str, str], allow_unverified: bool) -> dict[str, str] | None:
    """The digests to verify by; None when any dataset of this form is allowed.

    Raises:
        ParameterError: ``digests`` does not name the four files, or a value is not a SHA-256.
    """
    if not digests:
        return None if allow_unverified else dict(DIGESTS)
    if set(digests) != set(FILES):
        raise ParameterError(
            f"digests names {', '.join(sorted(digests))}, expected exactly {', '.join(FILES)}"
        )
    chosen = {name: str(digests[name]).lower() for name in FILES}
    for name, digest in chosen.items():
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise ParameterError(
                f"digests[{name!r}] is {digest!r}, expected the 64 hexadecimal digits of the "
                "SHA-256 of the decompressed file"
            )
    return chosen


def raw_directory(bucket_uri: str, digests: Mapping[str, str]) -> str:
    """A dataset's place: ``<bucket_uri>/raw/`` and 16 digits of the digest of its digests."""
    key = hashlib.sha256("".join(digests[name] for name in FILES).encode()).hexdigest()[:16]
    return f"{bucket_uri.rstrip('/')}/raw/{key}"


def _already_landed(
    bucket_uri: str, expected: Mapping[str, str] | None, scratch: Path
) -> dict[str, Content]:
    if expected is None:
        return {}
    directory = raw_directory(bucket_uri, expected)
    found = {
        name: _landed(f"{directory}/{name}.gz", name, expected[name], scratch) for name in FILES
    }
    return {name: content for name, content in found.items() if content is not None}


def _landed(uri: str, name: str, digest: str, scratch: Path) -> Content | None:
    """What an object contains, None without one; one without a note of its digest is read."""
    there = bucket.stat(uri)
    if there is None:
        return None
    noted = there.metadata or {}
    if noted.get(DIGEST_KEY) == digest and noted.get(EXAMPLES_KEY, "").isdecimal():
        return Content(digest, int(noted[EXAMPLES_KEY]))
    log.info("%s has no note of its digest and examples: reading it", uri)
    path = scratch / f"{name}.landed"
    with path.open("wb+") as file:
        bucket.download(uri, file)
    content = inspect(path, name, digest)
    if content.sha256 != digest:
        raise BucketError(
            f"{uri} has a payload with the SHA-256 {content.sha256}, expected {digest}; remove the "
            "object and run again"
        )
    return content


def _count_examples(contents: Mapping[str, Content]) -> dict[str, int]:
    pairs = {"train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}
    for images, labels in pairs.values():
        if contents[images].count != contents[labels].count:
            raise DataError(
                f"{images} has {contents[images].count} examples, {labels} has "
                f"{contents[labels].count} (both at byte 4); they must agree, download both again"
            )
    return {split: contents[images].count for split, (images, _) in pairs.items()}


def _upload(item: Fetched, directory: str, name: str) -> bool:
    """Uploads a file unless its payload is there; says whether it was uploaded."""
    uri = f"{directory}/{name}.gz"
    digest, scratch = item.content.sha256, item.path.parent
    if _landed(uri, name, digest, scratch):
        return False
    note = {DIGEST_KEY: digest, EXAMPLES_KEY: str(item.content.count)}
    try:
        return bucket.upload(item.path, uri, note)
    except bucket.ObjectDiffersError:
        # Another ingest was faster; mirrors compress differently: other bytes, same payload.
        if not _landed(uri, name, digest, scratch):
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
    directory: str, examples: Mapping[str, int], fetched: int, uploaded: int, verified: bool
) -> None:
    how = "verified by SHA-256" if verified else "unverified (allow_unverified=true)"
    done = f"{uploaded} of {len(FILES)} files uploaded, {how}"
    if not fetched:
        done = f"all {len(FILES)} files were there already, nothing downloaded, nothing uploaded"
    what = f"{examples['train']} training and {examples['test']} test examples in {directory}"
    log.info("%s: %s", what, done)
