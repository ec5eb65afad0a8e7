"""The plumbing of the loopback services: routes, strict parsing, and what a network does wrong."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from google.protobuf import json_format

from tests.fakes.model_service import Refusal, as_json

STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
SYSTEM: Final = ("$alt", "alt")
"""Query parameters that are the protocol's and no message's."""


class Violation(Exception):
    """A request that the service's own message types do not know: the test must fail."""


@dataclass(frozen=True)
class Call:
    """A request that came in.

    Attributes:
        method: Name of what was called, as ``CreatePipelineJob``.
        path: The parts of its path that the route names.
        query: Values of each query parameter.
        body: The JSON that was sent; None without any.
        headers: Its headers, in lower case.
    """

    method: str
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]

    def message(self, kind: Any, body: str = "", **fields: str) -> Any:
        """The request as the message type ``kind`` of the service's own client library.

        Args:
            kind: A message type.
            body: The field that the body is; empty: the body has the message's fields.
            fields: Fields that the path holds.

        Raises:
            Violation: It holds a field or a type that the message does not have.
        """
        content: dict[str, Any] = dict(fields)
        if body:
            content[body] = self.body
        elif self.body:
            content |= self.body
        for name, values in self.query.items():
            if name not in SYSTEM:
                content[name] = values[0]
        message = kind()
        try:
            json_format.ParseDict(content, type(message).pb(message))
        except json_format.ParseError as error:
            raise Violation(f"{self.method}: {error}") from error
        return message

    def only(self, *names: str) -> dict[str, list[str]]:
        """The query, when it has no other parameters than ``names``.

        Raises:
            Violation: It has others.
        """
        if unknown := set(self.query) - {*names, *SYSTEM}:
            raise Violation(f"{self.method}: unknown parameters {unknown}")
        return self.query


@dataclass
class Fault:
    """What happens to a request instead of an answer.

    Attributes:
        status: The HTTP status that is answered; 0: none, the connection breaks or stalls.
        reason: That of the ``ErrorInfo``, as ``SERVICE_DISABLED``; empty: there is none.
        stall: Seconds for which nothing is answered.
        after: Whether the request is carried out before it goes wrong.
        message: What the service says.
    """

    status: int = 0
    reason: str = ""
    stall: float = 0.0
    after: bool = False
    message: str = "it was refused.\nDetails: none"


Route = tuple[str, str, Callable[[Call], Any]]


@dataclass
class Wire:
    """A running server of several services.

    Attributes:
        url: Its address.
        routes: ``GET /path/(?P<name>…)``, the method's name and what answers it.
        calls: The requests that came in.
        violations: What was wrong with them; a test that ends with one has failed.
        faults: By method, what happens to the next requests.
        tokens: Tokens that are accepted; empty: no one is asked for any.
    """

    url: str
    routes: list[Route] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def fail(self, method: str, fault: Fault, times: int = 1) -> None:
        """Lets something happen to the next requests of ``method``."""
        self.faults.setdefault(method, []).extend([fault] * times)

    def named(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]


@contextmanager
def serve(wire_of: Callable[[str], Wire]) -> Iterator[Wire]:
    """Serves what ``wire_of`` makes of the address, while the block runs.

    Raises:
        AssertionError: A request was not what the service's message types know.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    wire = wire_of(f"http://127.0.0.1:{server.server_port}")
    server.wire = wire  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
    if wire.violations:
        raise AssertionError("; ".join(wire.violations))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def wire(self) -> Wire:
        wire: Wire = self.server.wire  # type: ignore[attr-defined]
        return wire

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            call, handle = self._route(body)
            self.wire.calls.append(call)
            waiting = self.wire.faults.get(call.method)
            fault = waiting.pop(0) if waiting else None
            if fault and not fault.after:
                self._misbehave(fault)
                return
            self._authorize(call)
            answer = handle(call)
            if fault:
                self._misbehave(fault)
                return
            self._answer(200, answer if isinstance(answer, dict) else as_json(answer))
        except Refusal as refusal:
            self._refuse(refusal)
        except Violation as violation:
            self.wire.violations.append(str(violation))
            self._refuse(Refusal(400, str(violation)))

    def _route(self, body: bytes) -> tuple[Call, Callable[[Call], Any]]:
        url = urlsplit(self.path)
        line = f"{self.command} {unquote(url.path)}"
        for pattern, name, handle in self.wire.routes:
            if found := re.fullmatch(pattern, line):
                headers = {key.lower(): value for key, value in self.headers.items()}
                content = json.loads(body) if body else None
                return Call(name, found.groupdict(), parse_qs(url.query), content, headers), handle
        raise Violation(f"no service has {line}")

    def _authorize(self, call: Call) -> None:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.wire.tokens and token not in self.wire.tokens and call.method != "Token":
            raise Refusal(401, "Request had invalid authentication credentials.")

    def _misbehave(self, fault: Fault) -> None:
        if fault.status:
            self._refuse(Refusal(fault.status, fault.message, fault.reason))
            return
        threading.Event().wait(fault.stall)
        # With a linger of zero, closing sends RST.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def _refuse(self, refusal: Refusal) -> None:
        error: dict[str, Any] = {
            "code": refusal.status,
            "message": str(refusal),
            "status": STATUS[refusal.status],
        }
        if refusal.reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            info = {"@type": kind, "reason": refusal.reason, "domain": "googleapis.com"}
            error["details"] = [info]
        self._answer(refusal.status, {"error": error})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Metadata-Flavor", "Google")
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps the test's output clean."""
