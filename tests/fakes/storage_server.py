"""The HTTP side of the fake bucket: routes, uploads in one piece or resumable, faults."""

import json
import re
import socket
import struct
import threading
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.server import Handler
from tests.fakes.storage import FakeBucket, Session, StorageFault, checksum

Query = dict[str, list[str]]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@dataclass(frozen=True)
class Request:
    """A request: one of ``storage.OPERATIONS``, its query, and its body."""

    operation: str
    query: Query
    body: bytes


class Answered(Exception):
    """A request that was answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class StorageHandler(Handler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def fake(self) -> FakeBucket:
        fake: FakeBucket = self.server.fake  # type: ignore[attr-defined]
        return fake

    def _serve(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if not re.search(r"/o(/|$)", urlsplit(self.path).path):
            # The client looks at the bucket itself in the background, and can do without.
            self.error(403, "someone@example.com does not have storage.buckets.get access.")
            return
        operation = self._operation(query)
        try:
            self.fake.watch(operation, "before")
            request = Request(operation, query, self._body(operation))
            waiting = self.fake.faults.get(operation)
            fault = waiting.pop(0) if waiting else None
            if fault and not fault.after:
                self._misbehave(fault, request)
                return
            answer = self.carry_out(request)
            self.fake.watch(operation, "after")
            if fault:
                self._misbehave(fault, request)
                return
            self.answer(*answer)
        except Answered as error:
            self.error(error.status, str(error))
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _operation(self, query: Query) -> str:
        if self.command == "PUT":
            found = re.fullmatch(r"bytes \d+-(\d+)/(\d+)", self.headers.get("Content-Range", ""))
            return "finish" if found and int(found[1]) + 1 == int(found[2]) else "chunk"
        if self.command == "DELETE":
            return "delete"
        if self.command == "POST":
            return "start" if query.get("uploadType") == ["resumable"] else "insert"
        if not re.search(r"/o/.+$", urlsplit(self.path).path):
            return "list"
        return "download" if query.get("alt") == ["media"] else "look"

    def _body(self, operation: str) -> bytes:
        """The whole body; a client that went away in the middle of it ends the request."""
        length = int(self.headers.get("Content-Length", 0))
        if not length:
            return b""
        first = self.rfile.read(length // 2)
        self.fake.watch(operation, "within")
        body = first + self.rfile.read(length - len(first))
        if len(body) < length:
            raise ConnectionError("the client went away")
        return body

    def carry_out(self, request: Request) -> Answer:
        """Does what was asked for.

        Raises:
            Answered: It is refused.
        """
        operation, query = request.operation, request.query
        name = self._name()
        if operation in ("insert", "start", "chunk", "finish"):
            with self.fake.lock:
                return self._take(request)
        if operation == "list":
            prefix = query.get("prefix", [""])[0]
            found = [r for key, r in sorted(self.fake.resources.items()) if key.startswith(prefix)]
            return 200, {}, _json({"kind": "storage#objects", "items": found})
        generation = query.get("generation")
        if name not in self.fake.objects or (
            generation and generation != [self.fake.resources[name]["generation"]]
        ):
            raise Answered(404, f"No such object: {self.fake.name}/{name}")
        if operation == "delete":
            del self.fake.objects[name], self.fake.resources[name]
            return 204, {}, b""
        if operation == "look":
            return 200, {}, _json(self.fake.resources[name])
        return self._download(name)

    def _name(self) -> str:
        """The object's name; empty where the path has none."""
        match = re.search(r"/b/([^/]+)/o(?:/(.+))?$", urlsplit(self.path).path)
        if match is None:
            raise Answered(400, f"not understood: {self.path}")
        if self.fake.refuse:
            raise Answered(403, "someone@example.com does not have storage.objects.list access.")
        if match[1] != self.fake.name:
            raise Answered(404, "The specified bucket does not exist.")
        return unquote(match[2] or "")

    def _take(self, request: Request) -> Answer:
        """Takes an upload, or a part of one."""
        if request.operation == "insert":
            return self._insert(request.query, request.body)
        if request.operation == "start":
            return self._start(request.query, request.body)
        return self._continue(request.query["upload_id"][0], request.body)

    def _insert(self, query: Query, body: bytes) -> Answer:
        boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        assert boundary is not None
        _, first, second, _ = body.split(b"--" + boundary[1].encode())
        description = json.loads(first.split(b"\r\n\r\n", 1)[1])
        content = second.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
        return self._commit(Session(description, _create_only(query), bytearray(content)))

    def _start(self, query: Query, body: bytes) -> Answer:
        session = Session(json.loads(body), _create_only(query))
        self._check_absent(session)
        key = uuid.uuid4().hex
        self.fake.sessions[key] = session
        path = urlsplit(self.path).path
        return 200, {"Location": f"{self.fake.host}{path}?upload_id={key}"}, b""

    def _continue(self, key: str, body: bytes) -> Answer:
        if key not in self.fake.sessions:
            raise Answered(404, "Not Found")
        session = self.fake.sessions[key]
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", self.headers["Content-Range"])
        assert match is not None
        start, total = int(match[1]), int(match[2])
        if session.done:
            return 200, {}, _json(self.fake.resources[session.description["name"]])
        if start > len(session.received):
            raise Answered(400, "the range begins after what was received")
        # What was received twice is kept once.
        session.received += body[len(session.received) - start :]
        if len(session.received) == total:
            return self._commit(session)
        return 308, {"Range": f"bytes=0-{len(session.received) - 1}"}, b""

    def _commit(self, session: Session) -> Answer:
        content, name = bytes(session.received), session.description["name"]
        self._check_absent(session)
        if session.description.get("crc32c", checksum(content)) != checksum(content):
            raise Answered(400, "Provided CRC32C does not match.")
        self.fake.put(name, content, session.description.get("metadata"))
        self.fake.uploads.append(name)
        self.fake.committed.append((name, content))
        session.done = True
        return 200, {}, _json(self.fake.resources[name])

    def _check_absent(self, session: Session) -> None:
        if session.create_only and session.description["name"] in self.fake.objects:
            raise Answered(412, "At least one of the pre-conditions you specified did not hold.")

    def _download(self, name: str) -> Answer:
        content = self.fake.objects[name]
        first, last = 0, len(content) - 1
        if wanted := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
        part = content[first : last + 1]
        if self.fake.damage:
            part = bytes([part[0] ^ 1]) + part[1:]
        self.fake.downloads.append(name)
        headers = {
            "Content-Range": f"bytes {first}-{last}/{len(content)}",
            "X-Goog-Generation": self.fake.resources[name]["generation"],
        }
        return 206, headers, part

    def _misbehave(self, fault: StorageFault, request: Request) -> None:
        if fault.act is not None:
            fault.act(self, request)
            return
        if fault.status:
            self.error(fault.status, fault.message)
            return
        threading.Event().wait(fault.stall)
        self.reset()

    def reset(self) -> None:
        """Breaks the connection off: with a linger of zero, closing sends RST."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def error(self, status: int, message: str) -> None:
        """Answers with an error as the service writes it."""
        self.answer(status, {}, _json({"error": {"code": status, "message": message}}))

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        """Answers the request."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True


def _create_only(query: Query) -> bool:
    return query.get("ifGenerationMatch") == ["0"]


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()
