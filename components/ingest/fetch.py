"""Gets one file from the first source that serves it as it should be."""

import gzip
import hashlib
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from components.dataset.errors import DataError, SourceError, StepError
from components.dataset.facts import DIGESTS, EXAMPLES, TEST_IMAGES, TRAIN_IMAGES
from components.dataset.payload import (
    GZIP_MAGIC,
    IMAGES,
    LABELS,
    Header,
    Kind,
    Payload,
    Readable,
    read_header,
)
from components.ingest.mirror import TransientError
from components.ingest.progress import Advance, download_progress
from components.ingest.sources import Source

ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 1.0
"""The first wait is random up to this, each further one up to twice the last."""
MAX_EXAMPLES: Final = 4_000_000
"""A header that promises more is not believed: 3 GB, sixty times FashionMNIST."""
COMPRESSION_LEVEL: Final = 6

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Content:
    """What a file holds: SHA-256 of its payload, and its header."""

    sha256: str
    header: Header


@dataclass(frozen=True)
class Fetched:
    """A checked file in the scratch directory.

    Attributes:
        path: The gzip file.
        size: Its bytes.
        source: The label of the source that served it.
        seconds: How long it took, all attempts included.
        content: What it holds.
    """

    path: Path
    size: int
    source: str
    seconds: float
    content: Content


def fetch(sources: Sequence[Source], name: str, digest: str | None, scratch: Path) -> Fetched:
    """Takes ``name`` from the first source that serves it sound; logs one line per refusal.

    Args:
        sources: The sources to try, in order.
        name: One of ``facts.FILES``.
        digest: Expected SHA-256 of the payload; None: any dataset of this form.
        scratch: The directory to write ``<name>.gz`` to.

    Raises:
        SourceError: No source has it; the text says what happened at each.
    """
    started = time.monotonic()
    refusals = []
    for source in sources:
        try:
            path, content = _fetch_with_retries(source, name, digest, scratch)
        except StepError as error:
            log.info("%s.gz: not from %s: %s", name, source.label, error)
            refusals.append(f"{source.label}: {error}")
            continue
        seconds = time.monotonic() - started
        size = path.stat().st_size
        log.info("%s.gz: %s from %s in %.1f s", name, _amount(size), source.label, seconds)
        return Fetched(path, size, source.label, seconds, content)
    raise SourceError(
        f"{name}.gz is not to be had. {'; '.join(refusals)}. Install the Debian package "
        "dataset-fashion-mnist, put the four .gz files into data/, or give another source."
    )


def inspect(stream: Readable, name: str, digest: str | None = None) -> Content:
    """Reads a file to its end: checks its form, and takes the digest of its payload.

    Args:
        stream: The file, gzipped or plain.
        name: One of ``facts.FILES``.
        digest: The SHA-256 that its payload should have, where one is known: nothing is read of
            a file whose header promises more than FashionMNIST has.

    Raises:
        DataError: It is no IDX file of this kind, truncated, damaged, or longer than it says.
    """
    payload = Payload(stream, f"{name}.gz")
    header = read_header(payload, kind_of(name))
    most = EXAMPLES[name] if digest == DIGESTS[name] else MAX_EXAMPLES
    if header.count > most:
        raise DataError(
            f"{name}.gz promises {header.count} examples (at byte 4), expected {most} at most; get "
            "it from another source"
        )
    sha256 = hashlib.sha256(header.encoded)
    while piece := payload.read(min(1 << 20, header.payload_bytes - payload.offset)):
        sha256.update(piece)
    if payload.offset < header.payload_bytes:
        raise payload.truncated(header.payload_bytes)
    payload.check_end()
    return Content(sha256.hexdigest(), header)


def kind_of(name: str) -> Kind:
    """What the file ``name`` holds: images or labels."""
    return IMAGES if name in (TRAIN_IMAGES, TEST_IMAGES) else LABELS


def _amount(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _fetch_with_retries(
    source: Source, name: str, digest: str | None, scratch: Path
) -> tuple[Path, Content]:
    retrying = Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=BACKOFF_SECONDS, max=10),
        reraise=True,
    )
    return retrying(_fetch_once, source, name, digest, scratch)


def _fetch_once(
    source: Source, name: str, digest: str | None, scratch: Path
) -> tuple[Path, Content]:
    path = scratch / f"{name}.gz"
    with (
        source.open(name) as stream,
        path.open("wb") as file,
        download_progress(path.name, getattr(stream, "total", None)) as advance,
    ):
        content = inspect(_Tee(stream, file, advance), name, digest)
    if digest is not None and content.sha256 != digest:
        raise DataError(
            f"its payload has the SHA-256 {content.sha256}, expected {digest}: another dataset "
            "under the same name"
        )
    _compress(path)
    return path, content


class _Tee:
    """Reads from a stream and keeps a copy of what went by."""

    def __init__(self, stream: Readable, copy: BinaryIO, advance: Advance) -> None:
        self._stream = stream
        self._copy = copy
        self._advance = advance

    def read(self, size: int, /) -> bytes:
        content = self._stream.read(size)
        self._copy.write(content)
        self._advance(len(content))
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
            shutil.copyfileobj(file, archive, 1 << 20)
    packed.replace(path)
