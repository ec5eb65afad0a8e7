"""Two stand-ins for Cloud Storage: a strict small fake, and the emulator package.

The fake honours ``ifGenerationMatch=0`` with 412 (the emulator does not), takes multipart and
resumable uploads, and fails in the ways that the service and the network do.
"""

import base64
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c

from tests.fakes.server import LoopbackServer
from tests.fakes.wire import Fault

if TYPE_CHECKING:
    from tests.fakes.storage_server import Request, StorageHandler

OPERATIONS = ("list", "look", "insert", "start", "chunk", "finish", "download", "delete")
"""What a client asks for: ``insert`` uploads in one request, the next three are resumable."""


@dataclass
class StorageFault(Fault):
    """What happens to a request for an object.

    Attributes:
        act: Deals with the request in its own way; None: as the other attributes say.
    """

    act: "Callable[[StorageHandler, Request], None] | None" = None


@dataclass
class Session:
    """A resumable upload that has begun.

    Attributes:
        description: What the object shall be: name, checksum, metadata.
        create_only: Whether it was begun with ``ifGenerationMatch=0``.
        received: The bytes that are kept so far.
        done: Whether the object was made.
    """

    description: dict[str, Any]
    create_only: bool
    received: bytearray = field(default_factory=bytearray)
    done: bool = False


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
        committed: Name and content of every object at the moment when it appeared.
        faults: By operation, what happens to the next requests.
        sessions: The resumable uploads by their id.
        watch: Called with an operation and ``before``, ``within`` or ``after`` it.
    """

    host: str
    name: str
    objects: dict[str, bytes] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: bool = False
    damage: bool = False
    uploads: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    committed: list[tuple[str, bytes]] = field(default_factory=list)
    faults: dict[str, list[StorageFault]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    watch: Callable[[str, str], None] = field(default=lambda operation, moment: None)
    lock: threading.Lock = field(default_factory=threading.Lock)
    generations: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, name: str, content: bytes, metadata: dict[str, str] | None = None) -> None:
        """Stores an object."""
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
        """Lets something happen to the next requests of ``operation``."""
        assert operation in OPERATIONS
        self.faults.setdefault(operation, []).extend([fault] * times)


def checksum(content: bytes) -> str:
    """The CRC32C as the service writes it."""
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


@contextmanager
def serve_storage(bucket: str = "bucket") -> Iterator[FakeBucket]:
    """Serves one empty bucket while the block runs."""
    from tests.fakes.storage_server import StorageHandler

    with LoopbackServer(StorageHandler) as server:
        fake = FakeBucket(server.url, bucket)
        server.fake = fake  # type: ignore[attr-defined]
        yield fake


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
