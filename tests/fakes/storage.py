"""A strict small fake of Cloud Storage.

It honours ``ifGenerationMatch=0`` with 412 (the emulator does not), takes multipart and
resumable uploads, and fails in the ways that the service and the network do.
"""

import base64
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

from tests.fakes.server import Handler, LoopbackServer
from tests.fakes.wire import Fault, Refusal

OPERATIONS = ("list", "look", "insert", "start", "chunk", "finish", "download", "delete")
"""What a client requests: ``insert`` uploads in one request, the next three are resumable."""
Query = dict[str, list[str]]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@dataclass
class StorageFault(Fault):
    """What happens to a request; ``act`` handles it in its own way."""

    act: "Callable[[StorageHandler, Request], None] | None" = None


@dataclass(frozen=True)
class Request:
    operation: str
    query: Query
    body: bytes


@dataclass
class Session:
    """An upload that has started: name, checksum and metadata, and the bytes kept so far."""

    description: dict[str, Any]
    create_only: bool
    received: bytearray = field(default_factory=bytearray)
    done: bool = False


@dataclass
class FakeBucket:
    """A running fake with one bucket.

    Attributes:
        resources: The service's description of each object.
        refuse: Answer everything with 403.
        damage: Flip a bit of everything that is downloaded.
        committed: Name and content of every uploaded object at the moment when it appeared.
        watch: Called with an operation and ``before``, ``within`` or ``after`` it.
    """

    host: str
    name: str
    objects: dict[str, bytes] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: bool = False
    damage: bool = False
    downloads: list[str] = field(default_factory=list)
    committed: list[tuple[str, bytes]] = field(default_factory=list)
    faults: dict[str, list[StorageFault]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    watch: Callable[[str, str], None] = field(default=lambda operation, moment: None)
    lock: threading.Lock = field(default_factory=threading.Lock)
    generations: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, name: str, content: bytes, metadata: dict[str, str] | None = None) -> None:
        self.objects[name] = content
        self.resources[name] = {
            "name": name,
            "bucket": self.name,
            "size": str(len(content)),
            "crc32c": checksum(content),
            "generation": str(next(self.generations)),
            "metadata": metadata or {},
        }

    def fail(self, operation: str, fault: StorageFault, times: int = 1) -> None:
        assert operation in OPERATIONS
        self.faults.setdefault(operation, []).extend([fault] * times)


def checksum(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


@contextmanager
def serve_storage(bucket: str = "bucket") -> Iterator[FakeBucket]:
    with LoopbackServer(StorageHandler) as server:
        fake = FakeBucket(server.url, bucket)
        server.fake = fake  # type: ignore[attr-defined]
        yield fake


class StorageHandler(Handler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def fake(self) -> FakeBucket:
        fake: FakeBucket = self.server.fake  # type: ignore[attr-defined]
        return fake

    def _serve(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if not re.search(r"/o(/|$)", urlsplit(self.path).path):
            # The client looks at the bucket itself in the background, without needing the answer.
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
        except Refusal as error:
            self.error(error.status, str(error))

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
            raise Refusal(404, f"No such object: {self.fake.name}/{name}")
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
            raise Refusal(400, f"not understood: {self.path}")
        if self.fake.refuse:
            raise Refusal(403, "someone@example.com does not have storage.objects.list access.")
        if match[1] != self.fake.name:
            raise Refusal(404, "The specified bucket does not exist.")
        return unquote(match[2] or "")

    def _take(self, request: Request) -> Answer:
        query, body = request.query, request.body
        if request.operation in ("chunk", "finish"):
            return self._continue(query["upload_id"][0], body)
        create_only = query.get("ifGenerationMatch") == ["0"]
        if request.operation == "insert":
            boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
            assert boundary is not None
            parts = body.split(b"--" + boundary[1].encode())
            description, content = (part.split(b"\r\n\r\n", 1)[1] for part in parts[1:3])
            received = bytearray(content.removesuffix(b"\r\n"))
            return self._commit(Session(json.loads(description), create_only, received))
        session = Session(json.loads(body), create_only)
        self._check_absent(session)
        key = uuid.uuid4().hex
        self.fake.sessions[key] = session
        path = urlsplit(self.path).path
        return 200, {"Location": f"{self.fake.host}{path}?upload_id={key}"}, b""

    def _continue(self, key: str, body: bytes) -> Answer:
        if key not in self.fake.sessions:
            raise Refusal(404, "Not Found")
        session = self.fake.sessions[key]
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", self.headers["Content-Range"])
        assert match is not None
        start, total = int(match[1]), int(match[2])
        if session.done:
            return 200, {}, _json(self.fake.resources[session.description["name"]])
        if start > len(session.received):
            raise Refusal(400, "the range begins after what was received")
        # What was received twice is kept once.
        session.received += body[len(session.received) - start :]
        if len(session.received) == total:
            return self._commit(session)
        return 308, {"Range": f"bytes=0-{len(session.received) - 1}"}, b""

    def _commit(self, session: Session) -> Answer:
        content, name = bytes(session.received), session.description["name"]
        self._check_absent(session)
        if session.description.get("crc32c", checksum(content)) != checksum(content):
            raise Refusal(400, "Provided CRC32C does not match.")
        self.fake.put(name, content, session.description.get("metadata"))
        self.fake.committed.append((name, content))
        session.done = True
        return 200, {}, _json(self.fake.resources[name])

    def _check_absent(self, session: Session) -> None:
        if session.create_only and session.description["name"] in self.fake.objects:
            raise Refusal(412, "At least one of the pre-conditions you specified did not hold.")

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
            "X-Goog-Hash": f"crc32c={self.fake.resources[name]['crc32c']}",
        }
        return 206, headers, part

    def _misbehave(self, fault: StorageFault, request: Request) -> None:
        if fault.act is not None:
            fault.act(self, request)
            return
        if fault.status:
            self.error(fault.status, fault.message, fault.body)
            return
        time.sleep(fault.stall)
        self.reset()

    def error(self, status: int, message: str, body: dict[str, Any] | None = None) -> None:
        error = body or {"code": status, "message": message}
        self.answer(status, {}, _json({"error": error}))


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()
