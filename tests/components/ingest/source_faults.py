"""What a mirror can do wrong with the training images: a table of speeches.

Each fault has what its refusal must say, and how often it is asked before it is given up.
"""

import gzip
import http
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.fakes.unruly import Speech
from tests.idx_files import IMAGES_MAGIC, LABELS_MAGIC, header

ATTEMPTS: Final = 3
EXAMPLE: Final = 784


@dataclass(frozen=True)
class Fault:
    """A fault of a mirror.

    Attributes:
        speak: Given the sound payload, what the mirror sends.
        said: What the line about it must say.
        attempts: How often the file is asked for.
    """

    speak: Callable[[bytes], Speech]
    said: str
    attempts: int = 1


def answer(body: bytes, *fields: str, status: str = "200 OK", length: bool = True) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", *fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def packed(payload: bytes) -> bytes:
    """The payload as gzip; equal payloads give equal bytes."""
    return gzip.compress(payload, 1, mtime=0)


def chunked(body: bytes, size: int = 1000) -> bytes:
    """The body in chunks, without the last one."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED: Final = "Transfer-Encoding: chunked"


def _status(code: int) -> Fault:
    again = code == 429 or code >= 500
    return Fault(
        lambda payload: [answer(b"<html>no</html>", status=f"{code} Something")],
        f"HTTP {code}",
        # Where there is no .gz, the plain file is asked for too.
        ATTEMPTS if again else 2 if code == 404 else 1,
    )


STATUSES: Final = {
    f"status {code}": _status(code)
    for code in [*(s.value for s in http.HTTPStatus if s > 200), 299, 451, 520, 599]
}


def _cut(offset: int, framing: str) -> Fault:
    """The answer's body ends early: with a length that promises more, in chunks, or just so."""

    def speak(payload: bytes) -> Speech:
        body = packed(payload)
        part = body[:offset]
        if framing == "length":
            return [answer(b"", f"Content-Length: {len(body)}", length=False), part]
        if framing == "chunks":
            return [answer(b"", CHUNKED, length=False), chunked(part)]
        return [answer(part, length=False)]

    lost = framing != "close"
    return Fault(speak, "connection lost" if lost else "truncated", ATTEMPTS if lost else 1)


def _short_payload(size: int, pack: Callable[[bytes], bytes]) -> Fault:
    return Fault(lambda payload: [answer(pack(payload[:size]))], "truncated")


# Within gzip's magic number and header, in the first block, before the checksum, within it.
GZIP_CUTS: Final = (2, 3, 9, 10, 11, 500, -9, -8, -4, -1)
# Within the magic number, the count, the dimensions; after the header; within and between images.
IDX_CUTS: Final = (3, 4, 7, 8, 15, 16, 17, 16 + EXAMPLE - 1, 16 + EXAMPLE, 16 + 59 * EXAMPLE, -1)

TRUNCATIONS: Final = (
    {
        f"cut at {cut} of the gzip file, {framing}": _cut(cut, framing)
        for cut, framing in itertools.product(GZIP_CUTS, ("length", "chunks", "close"))
    }
    | {f"gzip of {cut} bytes of the payload": _short_payload(cut, packed) for cut in IDX_CUTS}
    | {f"plain, {cut} bytes of the payload": _short_payload(cut, bytes) for cut in IDX_CUTS}
    | {
        "nothing at all": Fault(lambda payload: [], "no connection", ATTEMPTS),
        "cut in the status line": Fault(lambda payload: [b"HTTP/1."], "no connection", ATTEMPTS),
        "cut in the headers": Fault(
            lambda payload: [answer(packed(payload))[:30]], "ends at byte 0", 1
        ),
        "an empty body": Fault(lambda payload: [answer(b"")], "ends at byte 0"),
        "one byte": Fault(lambda payload: [answer(b"\x1f")], "ends at byte 1"),
    }
)


def _flipped(position: int) -> Fault:
    def speak(payload: bytes) -> Speech:
        body = bytearray(packed(payload))
        body[position] ^= 1
        return [answer(bytes(body))]

    return Fault(speak, "")


FLIPS: Final = {f"a flipped bit at {place}": _flipped(place) for place in (0, 2, 12, 900, -8, -1)}


def _other(body: Callable[[bytes], bytes], said: str) -> Fault:
    return Fault(lambda payload: [answer(body(payload))], said)


def _with_same_length(payload: bytes) -> bytes:
    return packed(payload[:-1] + bytes([payload[-1] ^ 255]))


PAGE: Final = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
DIGITS: Final = header(IMAGES_MAGIC, 60, 28, 28) + bytes(60 * EXAMPLE)

CONTENTS: Final = {
    "other images of the same length": _other(lambda payload: packed(DIGITS), "another dataset"),
    "the last pixel differs": _other(_with_same_length, "another dataset"),
    "a page": _other(lambda payload: PAGE, "not the IDX file"),
    "a packed page": _other(lambda payload: packed(PAGE), "not the IDX file"),
    "a page of an error in the right length": _other(
        lambda payload: (PAGE * 999)[: len(packed(payload))], "not the IDX file"
    ),
    "packed twice": _other(lambda payload: packed(packed(payload)), "not the IDX file"),
    "labels": _other(lambda payload: packed(header(LABELS_MAGIC, 9) + bytes(9)), "not the IDX"),
    "larger images": _other(
        lambda payload: packed(header(IMAGES_MAGIC, 1, 32, 32) + bytes(1024)), "32x32"
    ),
    "one more byte": _other(lambda payload: packed(payload + b"\0"), "trailing bytes"),
    "a page after the file": _other(lambda payload: packed(payload) + PAGE, "damaged gzip"),
    "no images": _other(lambda payload: packed(header(IMAGES_MAGIC, 0, 28, 28)), "another"),
}


def _framed(*fields: str, body: Callable[[bytes], bytes] = packed) -> Callable[[bytes], Speech]:
    return lambda payload: [answer(body(payload), *fields, length=False)]


FRAMES: Final = {
    "a length that is too large": Fault(_framed("Content-Length: 999999"), "lost", ATTEMPTS),
    "a length that is too small": Fault(_framed("Content-Length: 1000"), "truncated"),
    "two lengths": Fault(_framed("Content-Length: 5", "Content-Length: 6"), "unusable"),
    "a length beyond every file": Fault(_framed(f"Content-Length: {10**15}"), "too large"),
    "a length of 400 digits": Fault(_framed(f"Content-Length: {10**400}"), "too large"),
    "a negative chunk": Fault(
        lambda payload: [answer(b"-5\r\nabcde\r\n", CHUNKED, length=False)], "lost", ATTEMPTS
    ),
    "a chunk without a size": Fault(
        lambda payload: [answer(b"zz\r\nabcde\r\n", CHUNKED, length=False)], "lost", ATTEMPTS
    ),
    "a line without end for a chunk's size": Fault(
        lambda payload: [answer(b"1" * 100_000, CHUNKED, length=False)], "lost", ATTEMPTS
    ),
    "no HTTP": Fault(lambda payload: [b"220 ftp ready\r\n"], "no connection", ATTEMPTS),
    "a status without a number": Fault(
        lambda payload: [answer(b"", status="abc")], "no connection", ATTEMPTS
    ),
    "a hundred headers too many": Fault(
        lambda payload: [answer(b"", *(f"X-{n}: 1" for n in range(200)))], "no conn", ATTEMPTS
    ),
    "a header without end": Fault(
        lambda payload: [answer(b"", "X: " + "a" * 100_000)], "no connection", ATTEMPTS
    ),
    "a reason that paints the terminal": Fault(
        lambda payload: [answer(b"", status="403 \x1b[31m" + "no " * 9999)], "HTTP 403"
    ),
}
"""Wrong lengths and broken framing."""

SOUND: Final = {
    "a flag in the gzip header that says text": lambda payload: [
        answer(packed(payload)[:3] + b"\1" + packed(payload)[4:])
    ],
    "a length that is no number": _framed("Content-Length: abc"),
    "a length of a superscript": _framed("Content-Length: \xb2"),
    "a negative length": _framed("Content-Length: -5"),
    "a length of 5000 digits": _framed(f"Content-Length: {'9' * 5000}"),
    "no length": _framed(),
    "chunks": lambda payload: [
        answer(chunked(packed(payload)) + b"0\r\n\r\n", CHUNKED, length=False)
    ],
    "an encoding that it has not": _framed("Content-Encoding: br"),
    "two gzip members": lambda payload: [answer(packed(payload[:5000]) + packed(payload[5000:]))],
    "plain": lambda payload: [answer(payload)],
    "one byte at a time": lambda payload: [b"%c" % byte for byte in answer(packed(payload))],
}
"""Oddities that do no harm: the file is taken."""


def _redirect(target: str, said: str = "redirects to", attempts: int = 1) -> Fault:
    return Fault(
        lambda payload: [answer(b"", f"Location: {target}", status="302 Found")], said, attempts
    )


REDIRECTS: Final = {
    "a redirect to a file": _redirect("file:///etc/passwd"),
    "a redirect to ftp": _redirect("ftp://127.0.0.1/x"),
    "a redirect to a bucket": _redirect("gs://bucket/x"),
    "a redirect to a script": _redirect("javascript:alert(1)"),
    "a redirect to half an address": _redirect("http://[::1"),
    "a redirect to a port that is none": _redirect("http://127.0.0.1:99999999/"),
    "a redirect to a host that is none": _redirect("http://a..b/", "unusable address"),
    "a redirect to bytes that are no text": _redirect("http://\xff\xfe/", "unusable address"),
    "a redirect to the metadata server": _redirect("http://169.254.169.254/", "link-local"),
    "a redirect to itself": _redirect("?again", "redirects", 6),
    "a redirect with a body without end": Fault(
        lambda payload: itertools.chain(
            [answer(b"", "Location: ?again", status="301 Moved", length=False)],
            itertools.repeat(bytes(1 << 16)),
        ),
        "redirects",
        6,
    ),
    "a redirect to nowhere": Fault(lambda payload: [answer(b"", status="302 Found")], "HTTP 302"),
}

ENDING: Final = STATUSES | TRUNCATIONS | FLIPS | CONTENTS | FRAMES | REDIRECTS
"""All of them, by name."""
