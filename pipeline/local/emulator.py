"""The bucket of a machine without a cloud: the storage emulator on a loopback port."""

import contextlib
import dataclasses
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from components.dataset.disk import FULL
from components.dataset.errors import DiskError
from pipeline.local import loopback

LOCAL_BUCKET: Final = "fashion-mnist-local"
LOGGERS: Final = (
    "gcp_storage_emulator.server",
    "gcp_storage_emulator.storage",
    "api.bucket",
    "api.object",
)
"""Where the emulator says what it does; a filter on a logger does not reach those below it."""

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Emulator:
    """A bucket that is being served.

    Attributes:
        host: The value for ``STORAGE_EMULATOR_HOST``: ``http://127.0.0.1:PORT``.
        storage: What the emulator knows of the objects.
    """

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

    def remove(self, uri: str) -> None:
        """Removes the objects at or below a ``gs://`` address, in the order of their names."""
        bucket = uri.removeprefix("gs://").partition("/")[0]
        for name in sorted(self.checksums(uri)):
            self.storage.delete_file(bucket, name)


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[str]:
    """Serves the bucket ``gs://fashion-mnist-local`` from ``directory`` while the block runs.

    Args:
        directory: Where the objects are kept; made when missing.

    Yields:
        The value for ``STORAGE_EMULATOR_HOST``: ``http://127.0.0.1:PORT``.

    Raises:
        DiskError: The block failed, and the disk that holds ``directory`` was full.
    """
    with alone(directory), started(directory) as emulator:
        yield emulator.host


@contextlib.contextmanager
def started(directory: Path) -> Iterator[Emulator]:
    """As ``serve``, for a caller that is ``alone`` in the directory.

    Objects whose bytes are not there as they were written, after a power cut, are not served.
    """
    from gcp_storage_emulator.server import create_server

    from pipeline.local import bucket_files

    with _full_disk_told(directory):
        bucket_files.set_aside_damaged_index(directory)
        server = create_server(
            "127.0.0.1", 0, data_dir=str(directory.resolve()), default_bucket=LOCAL_BUCKET
        )
        bucket_files.mend(server._storage)
        # The emulator offers no way to make its thread a daemon, nor to ask for its port.
        server._api.daemon = True
        server.start()
        loopback.guard(server._api._httpd)
        # What fails is logged, and a traceback on the terminal would say it a second time.
        server._api._httpd.handle_error = lambda *_: None
        try:
            yield Emulator(f"http://127.0.0.1:{server._api._httpd.server_port}", server._storage)
        finally:
            server.stop()


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[int]:
    """Waits until nobody else uses the bucket in ``directory``, and keeps others out.

    The emulator keeps its index in memory, so a directory has one emulator at a time.

    Yields:
        The descriptor of the lock, which holds as long as any process has it open.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("%s is used by another run; waiting for it to finish", directory)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


@contextlib.contextmanager
def _full_disk_told(directory: Path) -> Iterator[None]:
    """Says that the disk was full where the emulator's client saw a refusal only."""
    full: list[logging.LogRecord] = []

    def note(record: logging.LogRecord) -> bool:
        if isinstance(record.msg, OSError) and record.msg.errno in FULL:
            full.append(record)
        return False

    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(note)
    try:
        yield
    except Exception as error:
        if not full and not (isinstance(error, OSError) and error.errno in FULL):
            raise
        raise DiskError(
            f"the disk that holds {directory} is full; free some space, or give another place "
            "with --root, and run again"
        ) from error
    finally:
        for logger in loggers:
            logger.removeFilter(note)
