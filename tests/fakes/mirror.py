"""A mirror on a loopback port that serves files and can do anything wrong, byte by byte."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.fakes.server import Handler, LoopbackServer

Speech = Iterable[bytes | float | None]
"""What goes out after a request: bytes, seconds of silence, None for a broken connection."""


def answer(body: bytes, *fields: str, status: str = "200 OK", length: bool = True) -> bytes:
    """An HTTP answer.

    Args:
        body: Its body.
        *fields: Its headers.
        status: Its status line without the protocol.
        length: Whether to add a ``Content-Length``.
    """
    lines = [f"HTTP/1.1 {status}", "Connection: close", *fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


NOT_FOUND = answer(b"not found", status="404 Not Found")


@dataclass
class FakeMirror:
    """A running mirror.

    Attributes:
        speeches: By file name, what it says to each request; the last one is repeated.
        otherwise: What it says to requests for other files.
        watch: Called with ``fetch`` and ``before`` or ``after`` each answer.
    """

    url: str
    speeches: dict[str, list[Speech]] = field(default_factory=dict)
    otherwise: Speech = (NOT_FOUND,)
    requests: list[str] = field(default_factory=list)
    watch: Callable[[str, str], None] = field(default=lambda operation, moment: None)

    def next_speech(self, file: str) -> Speech:
        speeches = self.speeches.get(file, [self.otherwise])
        return speeches.pop(0) if len(speeches) > 1 else speeches[0]


@contextmanager
def serve_mirror(files: Mapping[str, bytes] | None = None) -> Iterator[FakeMirror]:
    with LoopbackServer(_Handler) as server:
        mirror = FakeMirror(f"{server.url}/")
        mirror.speeches = {name: [[answer(body)]] for name, body in (files or {}).items()}
        server.mirror = mirror  # type: ignore[attr-defined]
        yield mirror


@contextmanager
def serve_redirect(location: str) -> Iterator[str]:
    with serve_mirror() as mirror:
        mirror.otherwise = [answer(b"", f"Location: {location}", status="302 Found")]
        yield mirror.url


class _Handler(Handler):
    def do_GET(self) -> None:
        mirror: FakeMirror = self.server.mirror  # type: ignore[attr-defined]
        mirror.requests.append(self.path)
        mirror.watch("fetch", "before")
        for piece in mirror.next_speech(self.path.rsplit("/", 1)[-1]):
            if piece is None:
                self.reset()
                return
            if isinstance(piece, bytes):
                self.wfile.write(piece)
            else:
                time.sleep(piece)
        mirror.watch("fetch", "after")
