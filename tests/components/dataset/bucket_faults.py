"""What a bucket can do wrong with a request, by name."""

import dataclasses

from tests.fakes.storage import StorageFault
from tests.fakes.storage_server import Request, StorageHandler


def half(handler: StorageHandler, request: Request) -> None:
    """Answers rightly, and hangs up in the middle: of the headers where it has no content."""
    status, headers, content = handler.carry_out(request)
    handler.send_response(status)
    if not content:
        handler.flush_headers()
        handler.wfile.write(b"Content-Le")
        handler.close_connection = True
        return
    for name, value in (headers | {"Content-Length": str(len(content))}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def page(handler: StorageHandler, request: Request) -> None:
    """Answers with the page of some proxy on the way."""
    handler.answer(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")


def damaged(handler: StorageHandler, request: Request) -> None:
    """Carries out what arrives with a flipped bit."""
    body = bytearray(request.body)
    body[len(body) // 2] ^= 1
    handler.answer(*handler.carry_out(dataclasses.replace(request, body=bytes(body))))


def forgotten(handler: StorageHandler, request: Request) -> None:
    """Knows nothing of the upload that has begun."""
    handler.fake.sessions.clear()
    handler.answer(*handler.carry_out(request))


def gone(handler: StorageHandler, request: Request) -> None:
    """Says that the upload is over."""
    handler.error(410, "Gone")


def partly_kept(handler: StorageHandler, request: Request) -> None:
    """Keeps less than was sent, and says so."""
    session = handler.fake.sessions[request.query["upload_id"][0]]
    session.received += request.body[: len(request.body) // 2]
    handler.answer(308, {"Range": f"bytes=0-{len(session.received) - 1}"}, b"")


def nothing_kept(handler: StorageHandler, request: Request) -> None:
    """Keeps nothing of what was sent; then the answer has no range."""
    handler.answer(308, {}, b"")


BLOCK = 256 << 10
"""The smallest chunk of a resumable upload that the service takes."""
CONTENT = bytes(range(256)) * 3000
SECONDS = 20.0
"""What a call may take at the bounds of the tests, on a machine that is busy."""
PASSING = {f"status {code}": StorageFault(status=code) for code in (408, 429, 500, 502, 503, 504)}
PASSING |= {
    "reset": StorageFault(),
    "reset after it was done": StorageFault(after=True),
    "503 after it was done": StorageFault(status=503, after=True),
    "stall": StorageFault(stall=1.0),
}
"""Faults that are gone at the next attempt."""
LASTING = {
    "status 400": StorageFault(status=400),
    "status 401": StorageFault(status=401),
    "status 403": StorageFault(status=403),
    "status 429": StorageFault(status=429),
    "status 500": StorageFault(status=500),
    "status 503": StorageFault(status=503),
    "a redirect": StorageFault(status=302),
    "a teapot": StorageFault(status=418),
    "reset": StorageFault(),
    "stall": StorageFault(stall=1.0),
    "a page": StorageFault(act=page),
}
BROKEN = {
    "damaged on the way": damaged,
    "forgotten": forgotten,
    "gone": gone,
    "partly kept": partly_kept,
    "not kept": nothing_kept,
}
"""What happens to a resumable upload so that it cannot go on."""
