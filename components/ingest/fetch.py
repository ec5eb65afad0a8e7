"""Gets one file from the first source that serves it as it should be."""

import gzip
import hashlib
import logging
import shutil
import time
from pathlib import Path
from typing import Final, NamedTuple

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from components.dataset.description import NAME, Description
from components.dataset.errors import DataError, SourceError, StepError
from components.dataset.facts import TEST_IMAGES, TRAIN_IMAGES
from components.dataset.idx import GZIP_MAGIC, IMAGES, LABELS, Examples
from components.ingest.mirror import NoConnectionError, TransientError
from components.ingest.sources import download

ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 1.0
"""The first wait is random up to this, each further one up to twice the last."""
MAX_EXAMPLES: Final = 1_000_000
"""Most examples accepted, sixteen times FashionMNIST."""
MAX_IMAGE_BYTES: Final = 256 * 256 * 3
"""Of an image whose size is not known before."""
COMPRESSION_LEVEL: Final = 6
ELSEWHERE: Final = (
    ". Install the Debian package dataset-fashion-mnist, put the four .gz files into data/, or "
    "give another source."
)
BLOCK: Final = 1 << 20

log = logging.getLogger(__name__)


class Content(NamedTuple):
    """What a file contains.

    Attributes:
        sha256: Of its payload.
        examples: Their number.
        shape: Of an image, as the file holds it; empty for labels.
        labels: The lowest and the highest; None for images, and where there is none.
    """

    sha256: str
    examples: int
    shape: tuple[int, ...] = ()
    labels: tuple[int, int] | None = None


class Fetched(NamedTuple):
    """A checked file: its gzip file, its source, the seconds that it took, and its content."""

    path: Path
    source: str
    seconds: float
    content: Content


def fetch(
    sources: list[str], name: str, about: Description | None, scratch: Path, advice: str = ELSEWHERE
) -> Fetched:
    """Takes ``name`` from the first source that serves it sound; logs one line per refusal.

    Sources that do not answer are removed from the list. What is taken has the digest, the form and
    the labels of the description, as far as it says. ``advice`` is for errors.

    Raises:
        SourceError: No source has it; the text says what happened at each.
    """
    started = time.monotonic()
    path = scratch / f"{name}.gz"
    refusals = []
    for source in tuple(sources):
        try:
            content = _fetch_from(source, name, about, path)
        except StepError as error:
            log.info("%s.gz: not from %s: %s", name, source, error)
            refusals.append(f"{source}: {error}")
            if isinstance(error, NoConnectionError):
                sources.remove(source)
            continue
        seconds = time.monotonic() - started
        megabytes = path.stat().st_size / 1e6
        log.info("%s.gz: %.3g MB from %s in %.1f s", name, megabytes, source, seconds)
        return Fetched(path, source, seconds, content)
    raise SourceError(f"{name}.gz could not be fetched. {'; '.join(refusals)}{advice}")


def inspect(path: Path, name: str, about: Description | None = None) -> Content:
    """Reads a file to its end: checks its form, and computes the digest of its payload.

    Raises:
        DataError: It is not an IDX file of this kind, truncated, damaged, longer than its header
            says, has more than ``MAX_EXAMPLES``, or is not as the description says.
    """
    labels: set[int] = set()
    with path.open("rb") as file:
        kind = IMAGES if name in (TRAIN_IMAGES, TEST_IMAGES) else LABELS
        examples = Examples(file, f"{name}.gz", kind, about)
        if examples.count > MAX_EXAMPLES:
            raise DataError(
                f"{name}.gz promises {examples.count} examples (at byte 4), expected "
                f"{MAX_EXAMPLES} at most; use another source"
            )
        sha256 = hashlib.sha256(examples.header)
        for block in examples.blocks(BLOCK // examples.example_bytes * examples.example_bytes):
            sha256.update(block)
            if kind is LABELS:
                labels.update(examples.values(block))
    if kind is IMAGES:
        return Content(sha256.hexdigest(), examples.count, examples.shape)
    ends = (min(labels), max(labels)) if labels else None
    if about and ends:
        low, high = about.labels
        if not low <= ends[0] <= ends[1] <= high:
            raise DataError(
                f"{name}.gz has labels from {ends[0]} to {ends[1]}, and {about.name} has "
                f"{high - low + 1} classes, {low} to {high}; correct classes or first_label in its "
                f"{NAME}"
            )
    return Content(sha256.hexdigest(), examples.count, labels=ends)


def _fetch_from(source: str, name: str, about: Description | None, path: Path) -> Content:
    image_bytes = about.image_bytes if about else MAX_IMAGE_BYTES
    for attempt in Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=BACKOFF_SECONDS, max=10),
        reraise=True,
    ):
        with attempt:
            # Compression hardly makes a file larger.
            download(source, name, path, BLOCK + MAX_EXAMPLES * image_bytes)
    content = inspect(path, name, about)
    digest = about.digests.get(name) if about else None
    if digest is not None and content.sha256 != digest:
        raise DataError(
            f"its payload has the SHA-256 {content.sha256}, expected {digest}: another dataset "
            "under the same name"
        )
    _compress(path)
    return content


def _compress(path: Path) -> None:
    """Gzips a file that came plain, in place; equal content gives equal bytes."""
    with path.open("rb") as file:
        if file.read(2) == GZIP_MAGIC:
            return
        file.seek(0)
        packed = path.with_suffix(".packed")
        with (
            packed.open("wb") as target,
            gzip.GzipFile("", "wb", COMPRESSION_LEVEL, target, mtime=0) as archive,
        ):
            shutil.copyfileobj(file, archive, BLOCK)
    packed.replace(path)
