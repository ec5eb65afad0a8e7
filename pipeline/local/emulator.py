"""The bucket of a machine without a cloud: the storage emulator on a loopback port."""

import contextlib
import logging
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import HTTPServer
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from components.dataset.bucket import crc32c_of
from components.dataset.disk import FULL
from components.dataset.errors import DiskError
from pipeline import files

LOCAL_BUCKET: Final = "fashion-mnist-local"
HOST: Final = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?")
BROWSER_HEADERS: Final = ("Origin", "Sec-Fetch-Site")
"""Every browser sends one of them with a request to another site; no storage client does."""
POLL_SECONDS: Final = 0.02
LEFTOVERS: Final = ("_resumable", "_softdelete")
"""Folders of the emulator with unfinished uploads and deleted objects."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Emulator:
    """A bucket that is being served; ``host`` is a value for ``STORAGE_EMULATOR_HOST``."""

    host: str
    storage: Any

    def checksums(self, uri: str) -> dict[str, str]:
        """The CRC32C (base64) of each object at or below a ``gs://`` address, by its name."""
        bucket, _, prefix = uri.removeprefix("gs://").partition("/")
        prefix = prefix.rstrip("/")
        return {
            name: facts["crc32c"]
            for name, facts in self.storage.objects.get(bucket, {}).items()
            if not prefix or name == prefix or name.startswith(f"{prefix}/")
        }


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[str]:
    """Serves the bucket ``gs://fashion-mnist-local`` from a directory while the block runs.

    Yields:
        The value for ``STORAGE_EMULATOR_HOST``: ``http://127.0.0.1:PORT``.

    Raises:
        DiskError: The block failed, and the disk that holds ``directory`` was full.
    """
    with alone(directory), started(directory) as emulator:
        yield emulator.host


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Waits until no other process uses the bucket in ``directory``, and keeps others out.

    The emulator keeps its index in memory, so a directory has one emulator at a time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / ".lock")
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        log.warning("%s is used by another run; waiting for it to finish", directory)
        held = lock.acquire()
    with held:
        yield


@contextlib.contextmanager
def started(directory: Path) -> Iterator[Emulator]:
    """As ``serve``, for a caller that is ``alone`` in the directory."""
    from gcp_storage_emulator.handlers import buckets
    from gcp_storage_emulator.storage import Storage

    for name in ("gcp_storage_emulator", "api"):  # The steps report what fails.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    storage = Storage(data_dir=str(directory.resolve()))
    full = _write_whole_files(storage._store)
    try:
        buckets.create_bucket(LOCAL_BUCKET, storage)
        _mend(storage)
        with _listening(storage) as port:
            yield Emulator(f"http://127.0.0.1:{port}", storage)
    except Exception as error:
        # A client of the emulator sees a broken connection only.
        if not full and not (isinstance(error, OSError) and error.errno in FULL):
            raise
        raise DiskError(disk_is_full(directory)) from error


def disk_is_full(directory: Path) -> str:
    """What to say when the disk that holds a directory is full."""
    return (
        f"the disk that holds {directory} is full; free some space, or give another place with "
        "--root, and run again"
    )


def _write_whole_files(store: Any) -> list[OSError]:
    """Lets the emulator replace files as a whole; the errors of writes that met a full disk."""
    full: list[OSError] = []

    def write_bytes(name: str, content: bytes) -> None:
        path = store._disk_path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, content)
        except OSError as error:
            if error.errno in FULL:
                full.append(error)
            raise

    store.write_bytes = write_bytes
    return full


def _mend(storage: Any) -> None:
    """Removes what a killed process left unfinished.

    The emulator writes an object before its index: after a kill in between, the index has an old
    checksum, or no entry. An object without a valid entry is written again by its step.
    """
    root = storage._store._root
    for bucket, objects in storage.objects.items():
        for name, facts in list(objects.items()):
            path = storage._store._disk_path(storage._object_path(bucket, name))
            if not path.is_file() or crc32c_of(path) != facts["crc32c"]:
                log.warning("gs://%s/%s is damaged; it will be written again", bucket, name)
                del objects[name]
    for bucket in storage.buckets.values():
        bucket["softDeletePolicy"] = {"retentionDurationSeconds": "0"}
    storage.resumable.clear()
    storage.soft_deleted.clear()
    for name in LEFTOVERS:
        shutil.rmtree(root / name, ignore_errors=True)
    for path in root.rglob(f"{files.UNFINISHED}*"):
        path.unlink()
    storage._write_config_to_file()


@contextlib.contextmanager
def _listening(storage: Any) -> Iterator[int]:
    """Serves on a loopback port, which it yields; a web page in a browser is answered with 403."""
    from gcp_storage_emulator.server import RequestHandler

    class Guarded(RequestHandler):  # type: ignore[misc]
        def parse_request(self) -> bool:
            if not super().parse_request():
                return False
            # Another host's name can be an attacker's that resolves to this machine.
            other = not HOST.fullmatch(self.headers.get("Host", "localhost"))
            if other or any(name in self.headers for name in BROWSER_HEADERS):
                self.send_error(HTTPStatus.FORBIDDEN, "this service is not for web pages")
                return False
            return True

    with _Server(("127.0.0.1", 0), partial(Guarded, storage)) as server:
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


class _Server(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """Prints no traceback: the client reports that its request failed."""
