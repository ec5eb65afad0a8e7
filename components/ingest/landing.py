"""Writes the four files to the bucket: verified before they appear there, never overwritten."""

import hashlib
import logging
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from components.dataset import bucket
from components.dataset.disk import scratch_directory
from components.dataset.errors import DataError, ParameterError
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
from components.ingest.fetch import Content, Fetched, fetch
from components.ingest.sources import resolve

DIGEST_KEY: Final = "payload-sha256"
"""The custom metadata of an uploaded object: the digest that its payload was verified to have."""
EXAMPLES_KEY: Final = "examples"
"""The custom metadata of an uploaded object: the number of its examples."""

log = logging.getLogger(__name__)


class Landed(NamedTuple):
    """What is in the bucket now: the ``gs://`` directory, its content's facts, and a report.

    The report has the state of each file, and source, bytes and seconds of a download.
    """

    uri: str
    metadata: dict[str, Any]
    report: dict[str, Any]


def land(
    bucket_uri: str, source: str, digests: Mapping[str, str], allow_unverified: bool
) -> Landed:
    """Brings the four files to ``<bucket_uri>/raw/<key>/``; existing objects stay.

    Without ``digests`` it takes FashionMNIST, or with ``allow_unverified`` any data of this form.
    Files that are there are not downloaded again. Only the smallest is, from a named source: it
    shows whether that source has these data.

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
    contents = {}
    probe = TEST_LABELS if source else ""
    for name, digest in expected.items():
        if name == probe:
            continue
        if noted := _landed(f"{raw_directory(bucket_uri, expected)}/{name}.gz", digest):
            contents[name] = noted
    with scratch_directory("ingest") as scratch:
        fetched = {
            name: fetch(sources, name, expected.get(name), scratch)
            for name in FILES
            if name not in contents
        }
        contents |= {name: item.content for name, item in fetched.items()}
        found = {name: contents[name].sha256 for name in FILES}
        examples = _count_examples(contents)
        directory = raw_directory(bucket_uri, found)
        files: dict[str, dict[str, Any]] = {name: {"state": "already there"} for name in FILES}
        files |= {name: _upload(item, f"{directory}/{name}.gz") for name, item in fetched.items()}
    uploaded = sum(file["state"] == "uploaded" for file in files.values())
    verified = bool(expected)
    log.info(
        "%d training and %d test examples in %s, %s: %d of %d files downloaded, %d uploaded",
        *examples.values(),
        directory,
        "verified by SHA-256" if verified else "unverified (allow_unverified=true)",
        *(len(fetched), len(FILES), uploaded),
    )
    shape = {"rows": IMAGE_HEIGHT, "columns": IMAGE_WIDTH}
    metadata = {"digests": found, "examples": examples, **shape, "verified": verified}
    return Landed(directory, metadata, {"directory": directory, "files": files})


def expected_digests(digests: Mapping[str, str], allow_unverified: bool) -> dict[str, str]:
    """The digests to verify by; empty when any dataset of this form is allowed."""
    if not digests:
        return {} if allow_unverified else dict(DIGESTS)
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


def _landed(uri: str, digest: str) -> Content | None:
    there = bucket.stat(uri)
    noted = (there and there.metadata) or {}
    if noted.get(DIGEST_KEY) != digest:
        return None
    return Content(digest, int(noted[EXAMPLES_KEY]))


def _count_examples(contents: Mapping[str, Content]) -> dict[str, int]:
    pairs = {"train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}
    for images, labels in pairs.values():
        counts = contents[images].examples, contents[labels].examples
        if counts[0] != counts[1]:
            raise DataError(
                f"{images} has {counts[0]} examples, {labels} has {counts[1]} (both at byte 4); "
                "they must agree, download both again"
            )
    return {split: contents[images].examples for split, (images, _) in pairs.items()}


def _upload(item: Fetched, uri: str) -> dict[str, Any]:
    digest, examples = item.content
    uploaded = False
    if not _landed(uri, digest):
        try:
            note = {DIGEST_KEY: digest, EXAMPLES_KEY: str(examples)}
            uploaded = bucket.upload(item.path, uri, note)
        except bucket.ObjectDiffersError:
            # Another ingest was faster; mirrors compress differently: other bytes, same payload.
            if not _landed(uri, digest):
                raise
    return {
        "state": "uploaded" if uploaded else "already there",
        "source": item.source,
        "bytes": item.path.stat().st_size,
        "seconds": item.seconds,
    }
