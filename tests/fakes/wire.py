"""The server of the loopback services: it parses requests strictly, refuses, stalls and breaks off.

Every request is parsed into the message type of the service's own client library. One with a
field that the type does not know fails the test.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from google.protobuf import json_format

from tests.fakes.server import Handler, LoopbackServer

NUMBER: Final = "123456789012"
"""The number of ``my-project``: requests may name the project by it, and answers do."""
PARENT: Final = "projects/my-project/locations/europe-west4"
NUMBERED: Final = f"projects/{NUMBER}/locations/europe-west4"
SYSTEM: Final = ("$alt", "alt")
"""Query parameters of the protocol, which no message has."""


class Violation(Exception):
    """A request that the service's own message types do not know: the test must fail."""


class Refusal(Exception):
    """An error that the service answers with; the reason is that of its ``ErrorInfo``."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Call:
    """A request that came in; ``line``: its path; ``path``: the parts that the route names."""

    method: str
    line: str
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]

    def message(self, kind: Any, body: str = "", **fields: str) -> Any:
        """The request as the message type ``kind`` of the client library.

        ``body`` names the field that the body is, and ``fields`` are those that the path holds.
        """
        content: dict[str, Any] = {**fields, **({body: self.body} if body else self.body or {})}
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
        """The query, which must have no other parameters than ``names``."""
        if unknown := set(self.query) - {*names, *SYSTEM}:
            raise Violation(f"{self.method}: unknown parameters {unknown}")
        return self.query


@dataclass
class Fault:
    """What happens to a request instead of an answer.

    Attributes:
        status: The HTTP status of the answer; 0: none, the connection breaks or stalls.
        reason: The reason in its ``ErrorInfo``, as ``SERVICE_DISABLED``; empty for none.
        stall: Seconds without an answer.
        after: Whether the request is carried out before it goes wrong.
        message: What the service says.
        body: The service's whole description of its error instead of these.
        page: What is answered instead of an error.
        headers: The page's own.
    """

    status: int = 0
    reason: str = ""
    stall: float = 0.0
    after: bool = False
    message: str = "it was refused.\nDetails: none"
    body: dict[str, Any] | None = None
    page: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Route = tuple[str, str, Callable[[Call], Any]]
"""``GET /path/(?P<name>…)``, the method's name and what answers it, with headers or without."""


@dataclass
class Wire:
    """A running server of several services; ``faults``: what happens to the next requests."""

    url: str
    routes: list[Route]
    calls: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    error: Callable[[dict[str, Any]], dict[str, Any]] = lambda error: {"error": error}

    def fail(self, method: str, fault: Fault, times: int = 1) -> None:
        self.faults.setdefault(method, []).extend([fault] * times)

    def named(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]


@contextmanager
def serve(*services: Any) -> Iterator[Wire]:
    """Serves the ``routes()`` of each service while the block runs.

    Raises:
        AssertionError: A request was not what the service's message types know.
    """
    with LoopbackServer(_Handler) as server:
        wire = Wire(server.url, [route for service in services for route in service.routes()])
        server.wire = wire  # type: ignore[attr-defined]
        yield wire
    if wire.violations:
        raise AssertionError("; ".join(wire.violations))


def as_json(message: Any) -> dict[str, Any]:
    content: dict[str, Any] = json_format.MessageToDict(type(message).pb(message))
    return content


class _Handler(Handler):
    protocol_version = "HTTP/1.1"

    @property
    def wire(self) -> Wire:
        wire: Wire = self.server.wire  # type: ignore[attr-defined]
        return wire

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            call, handle = self._route(body)
            self.wire.calls.append(call)
            waiting = self.wire.faults.get(call.method)
            fault = waiting.pop(0) if waiting else None
            if fault and not fault.after:
                self._misbehave(fault)
                return
            answer = handle(call)
            if fault:
                self._misbehave(fault)
                return
            headers, answer = answer if isinstance(answer, tuple) else ({}, answer)
            content = answer if isinstance(answer, dict) else as_json(answer)
            self.answer(200, headers, json.dumps(content).encode())
        except Refusal as refusal:
            self._refuse(refusal)
        except Violation as violation:
            self.wire.violations.append(str(violation))
            self._refuse(Refusal(400, str(violation)))

    do_POST = do_PATCH = do_DELETE = do_GET

    def _route(self, body: bytes) -> tuple[Call, Callable[[Call], Any]]:
        url = urlsplit(self.path.replace(f"projects/{NUMBER}/", "projects/my-project/"))
        line = f"{self.command} {unquote(url.path)}"
        headers = {key.lower(): value for key, value in self.headers.items()}
        content = json.loads(body) if body else None
        for pattern, name, handle in self.wire.routes:
            if found := re.fullmatch(pattern, line):
                query = parse_qs(url.query)
                return Call(name, url.path, found.groupdict(), query, content, headers), handle
        raise Violation(f"no service has {line}")

    def _misbehave(self, fault: Fault) -> None:
        if fault.page:
            self.answer(fault.status, fault.headers, fault.page)
            return
        if fault.status:
            self._refuse(Refusal(fault.status, fault.message, fault.reason), fault.body)
            return
        threading.Event().wait(fault.stall)
        self.reset()

    def _refuse(self, refusal: Refusal, body: dict[str, Any] | None = None) -> None:
        error = body or {"code": refusal.status, "message": str(refusal)}
        if refusal.reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            info = {"@type": kind, "reason": refusal.reason, "domain": "googleapis.com"}
            error["details"] = [info]
        content = self.wire.error(error)
        self.answer(refusal.status, {}, json.dumps(content).encode())
