"""Gets one file from the first source that serves it as it should be."""

import gzip
import hashlib
import logging
import shutil
import time
from pathlib import Path
from typing import Final, NamedTuple

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from components.dataset.errors import DataError, SourceError, StepError
from components.dataset.facts import IMAGE_BYTES, TEST_IMAGES, TRAIN_IMAGES
from components.dataset.idx import GZIP_MAGIC, IMAGES, LABELS, Examples
from components.ingest.mirror import NoConnectionError, TransientError
from components.ingest.sources import download

ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 1.0
"""The first wait is random up to this, each further one up to twice the last."""
MAX_EXAMPLES: Final = 1_000_000
"""Most examples accepted: 784 MB, sixteen times FashionMNIST."""
COMPRESSION_LEVEL: Final = 6
BLOCK: Final = 1 << 20

log = logging.getLogger(__name__)


class Content(NamedTuple):
    """What a file contains: SHA-256 of its payload, and the number of its examples."""

    sha256: str
    examples: int


class Fetched(NamedTuple):
    """A checked file: its gzip file, its source, the seconds that it took, and its content."""

    path: Path
    source: str
    seconds: float
    content: Content


def fetch(sources: list[str], name: str, digest: str | None, scratch: Path) -> Fetched:
    """Takes ``name`` from the first source that serves it sound; logs one line per refusal.

    Sources that do not answer are removed from the list. Without a digest, which is the SHA-256 of
    the payload, any dataset of this form is taken.

    Raises:
        SourceError: No source has it; the text says what happened at each.
    """
    started = time.monotonic()
    path = scratch / f"{name}.gz"
    refusals = []
    for source in tuple(sources):
        try:
            content = _fetch_from(source, name, digest, path)
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
    raise SourceError(
        f"{name}.gz could not be downloaded. {'; '.join(refusals)}. Install the Debian package "
        "dataset-fashion-mnist, put the four .gz files into data/, or give another source."
    )


def inspect(path: Path, name: str) -> Content:
    """Reads a file to its end: checks its form, and computes the digest of its payload.

    Raises:
        DataError: It is not an IDX file of this kind, truncated, damaged, longer than its header
            says, or has more than ``MAX_EXAMPLES``.
    """
    with path.open("rb") as file:
        kind = IMAGES if name in (TRAIN_IMAGES, TEST_IMAGES) else LABELS
        examples = Examples(file, f"{name}.gz", kind)
        if examples.count > MAX_EXAMPLES:
            raise DataError(
                f"{name}.gz promises {examples.count} examples (at byte 4), expected "
                f"{MAX_EXAMPLES} at most; use another source"
            )
        sha256 = hashlib.sha256(examples.header)
        for block in examples.blocks(BLOCK):
            sha256.update(block)
    return Content(sha256.hexdigest(), examples.count)


def _fetch_from(source: str, name: str, digest: str | None, path: Path) -> Content:
    for attempt in Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=BACKOFF_SECONDS, max=10),
        reraise=True,
    ):
        with attempt:
            # Compression hardly makes a file larger.
            download(source, name, path, BLOCK + MAX_EXAMPLES * IMAGE_BYTES)
    content = inspect(path, name)
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
