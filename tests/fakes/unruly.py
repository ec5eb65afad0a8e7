"""A web server that speaks byte by byte: whatever a mirror can do wrong, it does."""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

Speech = Iterable[bytes | float]
"""What goes out after a request: bytes, and seconds of silence between them."""


class Reset(Exception):
    """Raised by a speech: the connection is broken off instead of closed."""


@dataclass
class UnrulyServer:
    """A running server.

    Attributes:
        url: Its base address.
        speak: What it says when a path is asked for.
        requests: The paths that were asked for.
        connections: How many were opened.
    """

    url: str
    speak: Callable[[str], Speech]
    requests: list[str] = field(default_factory=list)
    connections: int = 0


@contextlib.contextmanager
def serve_unruly(
    speak: Callable[[str], Speech],
    tls: ssl.SSLContext | None = None,
    greet: Callable[[], Speech] | None = None,
) -> Iterator[UnrulyServer]:
    """Serves while the block runs; hangs up after each answer.

    Args:
        speak: What is said when a path is asked for.
        tls: The server's side of TLS; None: plain HTTP.
        greet: What is said before any request, instead of all else.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                unruly.connections += 1
                connection: socket.socket = self.request
                if greet is not None:
                    _say(connection, greet())
                    return
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                path = _request_path(connection)
                unruly.requests.append(path)
                _say(connection, unruly.speak(path))

    with _Server(("127.0.0.1", 0), Handler) as server:
        scheme = "http" if tls is None else "https"
        unruly = UnrulyServer(f"{scheme}://127.0.0.1:{server.server_address[1]}/", speak)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield unruly
        finally:
            server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def _request_path(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError
        head += piece
    return head.split(b" ", 2)[1].decode()


def _say(connection: socket.socket, speech: Speech) -> None:
    try:
        for piece in speech:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            else:
                time.sleep(piece)
        connection.shutdown(socket.SHUT_WR)
        # Until the client hangs up: closing on unread data would send RST.
        connection.settimeout(5)
        while connection.recv(4096):
            pass
    except Reset:
        # With a linger of zero, closing sends RST.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
