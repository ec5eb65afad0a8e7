"""Two stand-ins for Cloud Storage: a strict small fake, and the emulator package.

The fake honours ``ifGenerationMatch=0`` with 412 (the emulator does not) and can refuse or damage.
"""

import base64
import itertools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c


@dataclass
class FakeBucket:
    """A running fake with one bucket.

    Attributes:
        host: The value for ``STORAGE_EMULATOR_HOST``.
        name: The bucket; every other one does not exist.
        objects: Content by object name.
        resources: The service's description of each object.
        refuse: Answer everything with 403.
        damage: Flip a bit of everything that is downloaded.
        uploads: Names in the order of uploads that were accepted.
        downloads: Names in the order of downloads.
    """

    host: str
    name: str
    objects: dict[str, bytes] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: bool = False
    damage: bool = False
    uploads: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    generations: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, name: str, content: bytes, metadata: dict[str, str] | None = None) -> None:
        """Stores an object."""
        checksum = google_crc32c.value(content).to_bytes(4, "big")
        self.objects[name] = content
        self.resources[name] = {
            "name": name,
            "bucket": self.name,
            "size": str(len(content)),
            "crc32c": base64.b64encode(checksum).decode(),
            "generation": str(next(self.generations)),
            "metadata": metadata or {},
        }


@contextmanager
def serve_storage(bucket: str = "bucket") -> Iterator[FakeBucket]:
    """Serves one empty bucket while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    fake = FakeBucket(f"http://127.0.0.1:{server.server_port}", bucket)
    server.fake = fake  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serve_emulator(directory: Path, bucket: str = "bucket") -> Iterator[str]:
    """Runs gcp-storage-emulator with one bucket; yields the value for STORAGE_EMULATOR_HOST."""
    from gcp_storage_emulator.server import create_server

    server = create_server(
        "127.0.0.1", 0, in_memory=False, default_bucket=bucket, data_dir=str(directory)
    )
    server.start()
    try:
        yield f"http://127.0.0.1:{server._api._httpd.server_port}"
    finally:
        server.stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _fake(self) -> FakeBucket:
        fake: FakeBucket = self.server.fake  # type: ignore[attr-defined]
        return fake

    def do_GET(self) -> None:
        route = self._route()
        if route is None:
            return
        name, query = route
        if name is None:
            prefix = query.get("prefix", [""])[0]
            found = [r for key, r in sorted(self._fake.resources.items()) if key.startswith(prefix)]
            self._answer(200, {"kind": "storage#objects", "items": found})
        elif name not in self._fake.objects:
            self._error(404, f"No such object: {self._fake.name}/{name}")
        elif query.get("alt") == ["media"]:
            self._download(name)
        else:
            self._answer(200, self._fake.resources[name])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        route = self._route()
        if route is None:
            return
        description, content = self._parts(body)
        name = description["name"]
        if route[1].get("ifGenerationMatch") == ["0"] and name in self._fake.objects:
            self._error(412, "At least one of the pre-conditions you specified did not hold.")
            return
        self._fake.put(name, content, description.get("metadata"))
        if (
            description.get("crc32c", self._fake.resources[name]["crc32c"])
            != (self._fake.resources[name]["crc32c"])
        ):
            self._error(400, "Provided CRC32C does not match.")
            return
        self._fake.uploads.append(name)
        self._answer(200, self._fake.resources[name])

    def _route(self) -> tuple[str | None, dict[str, list[str]]] | None:
        """The object's name and the query; None after an error was answered."""
        url = urlsplit(self.path)
        match = re.search(r"/b/([^/]+)/o(?:/(.+))?$", url.path)
        if match is None:
            self._error(400, f"not understood: {self.path}")
        elif self._fake.refuse:
            self._error(403, "someone@example.com does not have storage.objects.list access.")
        elif match[1] != self._fake.name:
            self._error(404, "The specified bucket does not exist.")
        else:
            return (unquote(match[2]) if match[2] else None), parse_qs(url.query)
        return None

    def _parts(self, body: bytes) -> tuple[dict[str, Any], bytes]:
        boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        assert boundary is not None
        _, first, second, _ = body.split(b"--" + boundary[1].encode())
        description = json.loads(first.split(b"\r\n\r\n", 1)[1])
        return description, second.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")

    def _download(self, name: str) -> None:
        content = self._fake.objects[name]
        first, last = 0, len(content) - 1
        if wanted := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
        part = content[first : last + 1]
        if self._fake.damage:
            part = bytes([part[0] ^ 1]) + part[1:]
        self._fake.downloads.append(name)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def _error(self, status: int, message: str) -> None:
        self._answer(status, {"error": {"code": status, "message": message}})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps the test's output clean."""
