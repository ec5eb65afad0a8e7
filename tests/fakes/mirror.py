"""A mirror on a loopback port that serves files and can misbehave."""

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.fakes.server import Handler, LoopbackServer


@dataclass(frozen=True)
class Answer:
    """What the mirror does when a file is asked for.

    Attributes:
        body: What it sends.
        status: The HTTP status.
        sent: Bytes of the body that really go out before the connection ends; None: all.
        reset: Break the connection off instead of ending it in good order.
        pause: Seconds between two pieces of ``piece`` bytes.
        piece: Bytes that go out at a time.
        endless: Repeat the body for ever, without a Content-Length.
    """

    body: bytes = b""
    status: int = 200
    sent: int | None = None
    reset: bool = False
    pause: float = 0.0
    piece: int = 1 << 16
    endless: bool = False


@dataclass
class FakeMirror:
    """A running mirror.

    Attributes:
        url: Its base address.
        answers: By file name; of a list the first is used up by each request, the last one stays.
        requests: The paths that were asked for.
        watch: Called with ``fetch`` and ``before``, ``within`` or ``after`` each answer.
    """

    url: str
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    watch: Callable[[str, str], None] = field(default=lambda operation, moment: None)

    def answer(self, file: str) -> Answer:
        """The answer to the next request of ``file``."""
        answers = self.answers.get(file, Answer(b"not found", status=404))
        if isinstance(answers, Answer):
            return answers
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def serve_mirror(files: Mapping[str, bytes] | None = None) -> Iterator[FakeMirror]:
    """Serves ``files`` under their names while the block runs."""
    with LoopbackServer(_Handler) as server:
        mirror = FakeMirror(f"{server.url}/")
        mirror.answers.update({name: Answer(body) for name, body in (files or {}).items()})
        server.mirror = mirror  # type: ignore[attr-defined]
        yield mirror


@contextmanager
def serve_redirect(location: str) -> Iterator[str]:
    """Serves nothing but the way to another address; gives its own."""

    class Answering(Handler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with LoopbackServer(Answering) as server:
        yield f"{server.url}/"


class _Handler(Handler):
    def do_GET(self) -> None:
        mirror: FakeMirror = self.server.mirror  # type: ignore[attr-defined]
        mirror.requests.append(self.path)
        mirror.watch("fetch", "before")
        answer = mirror.answer(self.path.rsplit("/", 1)[-1])
        self.send_response(answer.status)
        if not answer.endless:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        try:
            self._send(answer)
            mirror.watch("fetch", "after")
        except OSError:
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        mirror: FakeMirror = self.server.mirror  # type: ignore[attr-defined]
        body = answer.body[: answer.sent]
        if not answer.endless:
            self.wfile.write(body[: len(body) // 2])
            mirror.watch("fetch", "within")
            body = body[len(body) // 2 :]
        while True:
            for start in range(0, len(body), answer.piece):
                self.wfile.write(body[start : start + answer.piece])
                time.sleep(answer.pause)
            if not answer.endless:
                break
        if answer.sent is not None:
            self.close_connection = True
        if answer.reset:
            # With a linger of zero, closing sends RST.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
