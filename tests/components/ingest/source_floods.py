"""Answers of a mirror that do not end, or not soon; those that end are in ``source_faults``."""

import functools
import itertools
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from tests.components.ingest.source_faults import (
    ATTEMPTS,
    CHUNKED,
    DIGITS,
    ENDING,
    EXAMPLE,
    Fault,
    answer,
    packed,
)
from tests.fakes.unruly import Reset, Speech
from tests.idx_files import IMAGES_MAGIC, header


@functools.cache
def bomb() -> bytes:
    """64 MiB of zeros behind the header of so many images, as some hundred kB of gzip."""
    packer = zlib.compressobj(1, wbits=31)
    count = 64 * (1 << 20) // EXAMPLE
    pieces = [packer.compress(header(IMAGES_MAGIC, count, 28, 28))]
    pieces += [packer.compress(bytes(EXAMPLE << 10)) for _ in range(count >> 10)]
    return b"".join([*pieces, packer.compress(bytes(EXAMPLE * (count % 1024))), packer.flush()])


def _endless(head: bytes, body: bytes) -> Callable[[bytes], Speech]:
    return lambda payload: itertools.chain([head], itertools.repeat(body))


OPEN: Final = answer(b"", length=False)
NAMED: Final = b"\x1f\x8b\x08\x08" + bytes(6)
"""The beginning of a gzip header that holds a name."""

ENDLESS: Final = {
    "a bomb": Fault(lambda payload: [answer(bomb())], "another dataset"),
    "a body without end": Fault(_endless(OPEN + DIGITS, bytes(1 << 16)), "trailing bytes"),
    "a body without end that looks sound": Fault(
        _endless(OPEN + header(IMAGES_MAGIC, 3_000_000, 28, 28), bytes(1 << 16)), "too large"
    ),
    "a count beyond every file": Fault(
        _endless(OPEN + header(IMAGES_MAGIC, 2**32 - 1, 28, 28), bytes(1 << 16)), "4294967295"
    ),
    "a name without end in the gzip header": Fault(
        _endless(OPEN + NAMED, b"a" * (1 << 16)), "more gzip than payload"
    ),
    "empty gzip members without end": Fault(
        _endless(OPEN, packed(b"") * 1000), "more gzip than payload"
    ),
    "gzip members of one byte without end": Fault(
        _endless(OPEN + packed(header(IMAGES_MAGIC, 3_000_000, 28, 28)), packed(b"\0") * 1000),
        "more gzip than payload",
    ),
    "one answer after the other that says to go on": Fault(
        _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), "too large"
    ),
    "trailers without end": Fault(
        _endless(answer(b"0\r\n", CHUNKED, length=False), b"a: b\r\n" * 1000), "too large"
    ),
}


def _trickle(head: bytes, drop: bytes) -> Callable[[bytes], Speech]:
    def speak(payload: bytes) -> Iterator[bytes | float]:
        yield head
        while True:
            yield drop
            yield 0.02

    return speak


def _broken(payload: bytes) -> Iterator[bytes]:
    yield answer(packed(payload))[:900]
    raise Reset


SLOW: Final = {
    "a trickle of the body": Fault(
        _trickle(OPEN + header(IMAGES_MAGIC, 60, 28, 28), b"\0"), "too slow"
    ),
    "a trickle of the status line": Fault(_trickle(b"", b" "), "too slow"),
    "a trickle of headers": Fault(_trickle(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), "too slow"),
    "a trickle within a header": Fault(_trickle(b"HTTP/1.1 200 OK\r\nA: ", b"b"), "too slow"),
    "a trickle of a chunk's size": Fault(
        _trickle(answer(b"", CHUNKED, length=False), b"0"), "too slow"
    ),
    "a trickle of trailers": Fault(
        _trickle(answer(b"0\r\n", CHUNKED, length=False), b"a: b\r\n"), "too slow"
    ),
    "silence from the start": Fault(lambda payload: [3.0], "no connection", ATTEMPTS),
    "silence in the headers": Fault(lambda payload: [b"HTTP/1.1 2", 3.0], "no conn", ATTEMPTS),
    "silence in the body": Fault(
        lambda payload: [answer(packed(payload))[:900], 3.0], "lost", ATTEMPTS
    ),
    "a reset in the body": Fault(_broken, "lost", ATTEMPTS),
}

EVERY: Final = ENDING | SLOW | ENDLESS
"""All faults of a mirror, by name."""
