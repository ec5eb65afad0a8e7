"""The server of the loopback services, which can refuse, stall and break off."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.model_service import Refusal, as_json
from tests.fakes.server import Handler, LoopbackServer
from tests.fakes.wire import Call, Fault, Violation, Wire

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


@contextmanager
def serve(wire_of: Callable[[str], Wire]) -> Iterator[Wire]:
    """Serves what ``wire_of`` makes of the address, while the block runs.

    Raises:
        AssertionError: A request was not what the service's message types know.
    """
    with LoopbackServer(_Handler) as server:
        wire = wire_of(server.url)
        server.wire = wire  # type: ignore[attr-defined]
        yield wire
    if wire.violations:
        raise AssertionError("; ".join(wire.violations))


class _Handler(Handler):
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
