"""Writes the four files: verified before they appear, and in a bucket never overwritten."""

import dataclasses
import hashlib
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from components.dataset import bucket
from components.dataset.description import NAME, Description, DescriptionError
from components.dataset.disk import scratch_directory
from components.dataset.errors import DataError
from components.dataset.facts import (
    FILES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from components.ingest import fashion_mnist, sources
from components.ingest.fetch import ELSEWHERE, Content, Fetched, fetch

DIGEST_KEY: Final = "payload-sha256"
"""The custom metadata of an uploaded object: the digest that its payload was verified to have."""
EXAMPLES_KEY: Final = "examples"
"""The custom metadata of an uploaded object: the number of its examples."""
WRITTEN: Final = ("uploaded", "written")

log = logging.getLogger(__name__)


class Landed(NamedTuple):
    """Where the files are now (a ``gs://`` address or a path), their facts, and a report.

    The report has the state of each file, and source, bytes and seconds of a download.
    """

    uri: str
    metadata: dict[str, Any]
    report: dict[str, Any]


def land(
    bucket_uri: str,
    source: str,
    dataset: Mapping[str, Any],
    allow_unverified: bool,
    folder: Path = Path(),
) -> Landed:
    """Brings the four files and their ``dataset.json`` to ``<bucket_uri>/raw/<key>/``.

    Without a bucket they go to the folder. Existing objects stay. Files that are there are not
    downloaded again. Only the smallest is, from a named source: it shows whether that source has
    these data.

    Raises:
        DescriptionError: What the data are said to be cannot be.
        SourceError: A file could not be downloaded.
        DataError: Images and labels differ in number.
        BucketError: The bucket is missing or refuses, or has something else under this name.
        DiskError: The scratch disk is full.
    """
    places = sources.resolve(source)
    about = _described(places[0] if source else "", dataset, allow_unverified)
    if bucket_uri:
        bucket.check_bucket(bucket_uri)
    contents = {}
    probe = TEST_LABELS if source else ""
    if about and about.digests:
        about = dataclasses.replace(about, verified=True)
    if bucket_uri and about and about.digests:
        directory = raw_directory(bucket_uri, about)
        noted = {name: _landed(f"{directory}/{name}.gz", about.digests[name]) for name in FILES}
        contents = {name: each for name, each in noted.items() if each and name != probe}
    advice = "" if source else ELSEWHERE
    with scratch_directory("ingest") as scratch:
        fetched = {
            name: fetch(places, name, about, scratch, advice)
            for name in FILES
            if name not in contents
        }
        contents |= {name: item.content for name, item in fetched.items()}
        examples = _count_examples(contents)
        about = _complete(about or _derived(contents, source), contents)
        directory = raw_directory(bucket_uri, about) if bucket_uri else str(folder)
        files: dict[str, dict[str, Any]] = {name: {"state": "already there"} for name in FILES}
        files |= {name: _put(item, f"{directory}/{name}.gz") for name, item in fetched.items()}
        about.write(scratch)
        if bucket_uri:
            bucket.upload(scratch / NAME, f"{directory}/{NAME}")
        else:
            shutil.copy(scratch / NAME, folder)
    written = sum(file["state"] in WRITTEN for file in files.values())
    log.info(
        "%s: %d training and %d test examples of %d classes in %s, %s: %d of %d files downloaded, "
        "%d written",
        *(about.name, *examples.values(), len(about.classes), directory),
        "verified by SHA-256" if about.verified else "unverified (allow_unverified=true)",
        *(len(fetched), len(FILES), written),
    )
    metadata = {
        "name": about.name,
        "classes": len(about.classes),
        "image": about.form,
        "digests": dict(about.digests),
        "examples": examples,
        "verified": about.verified,
    }
    return Landed(directory, metadata, {"directory": directory, "files": files})


def check_dataset(dataset: Mapping[str, Any], allow_unverified: bool) -> None:
    """Refuses a description that cannot be, or that names no digests where they are required."""
    _verifiable(Description.of(dataset), allow_unverified)


def raw_directory(bucket_uri: str, about: Description) -> str:
    """A data set's place: ``<bucket_uri>/raw/`` and 16 digits of its description's digest.

    The description has the digests of the four payloads.
    """
    key = hashlib.sha256(about.text().encode()).hexdigest()[:16]
    return f"{bucket_uri.rstrip('/')}/raw/{key}"


def _described(
    source: str, dataset: Mapping[str, Any], allow_unverified: bool
) -> Description | None:
    """What the data are said to be; None: whatever they are."""
    if dataset:
        return _verifiable(Description.of(dataset), allow_unverified)
    if source and (text := sources.description(source)) is not None:
        place = f"{source.rstrip('/')}/{NAME}"
        return _verifiable(Description.parse(text, place), allow_unverified, place)
    return None if allow_unverified else fashion_mnist.DESCRIPTION


def _verifiable(about: Description, allow_unverified: bool, place: str = "dataset") -> Description:
    if not about.digests and not allow_unverified:
        raise DescriptionError(
            f"{place} has no digests, so the files of {about.name} cannot be verified; add the "
            "SHA-256 of each decompressed file, or give -p allow_unverified=true"
        )
    return dataclasses.replace(about, verified=False, counts={}, mean=(), deviation=())


def _derived(contents: Mapping[str, Content], source: str) -> Description:
    """What the files themselves say: their form, and numbers as the names of the classes."""
    official = fashion_mnist.DESCRIPTION
    if all(contents[name].sha256 == digest for name, digest in official.digests.items()):
        return dataclasses.replace(official, verified=True)
    ends = [contents[name].labels or (0, 0) for name in (TRAIN_LABELS, TEST_LABELS)]
    lowest, highest = min(low for low, _ in ends), max(high for _, high in ends)
    if lowest < 0:
        raise DataError(f"there is the label {lowest}, expected 0 or more; use another source")
    first = min(lowest, 1)
    height, width, channels = (*contents[TRAIN_IMAGES].shape, 1)[:3]
    about = Description(
        name=PurePosixPath(source.rstrip("/")).name or "data",
        # One more than can be is enough for the error.
        classes=tuple(map(str, range(first, min(highest, first + 256) + 1))),
        height=height,
        width=width,
        channels=channels,
        first_label=first,
        mirror_changes_class=True,
    )
    log.info(
        "no %s: %d classes named %s to %s, pictures of %s that are not mirrored; describe the data "
        "with --dataset",
        *(NAME, len(about.classes), about.classes[0], about.classes[-1], about.form),
    )
    return about


def _complete(about: Description, contents: Mapping[str, Content]) -> Description:
    train, test = (contents[name].shape for name in (TRAIN_IMAGES, TEST_IMAGES))
    if train and test and train != test:
        raise DataError(
            f"{TRAIN_IMAGES} has images of {'x'.join(map(str, train))} and {TEST_IMAGES} of "
            f"{'x'.join(map(str, test))}; they must agree"
        )
    return dataclasses.replace(about, digests={name: contents[name].sha256 for name in FILES})


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


def _put(item: Fetched, place: str) -> dict[str, Any]:
    facts = {
        "source": item.source,
        "bytes": item.path.stat().st_size,
        "seconds": item.seconds,
    }
    if place.startswith(bucket.SCHEME):
        return {"state": "uploaded" if _upload(item, place) else "already there", **facts}
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(item.path, path)
    return {"state": "written", **facts}


def _upload(item: Fetched, uri: str) -> bool:
    digest, examples = item.content.sha256, item.content.examples
    if not _landed(uri, digest):
        try:
            note = {DIGEST_KEY: digest, EXAMPLES_KEY: str(examples)}
            return bucket.upload(item.path, uri, note)
        except bucket.ObjectDiffersError:
            # Another ingest was faster; mirrors compress differently: other bytes, same payload.
            if not _landed(uri, digest):
                raise
    return False
