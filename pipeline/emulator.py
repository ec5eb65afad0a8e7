"""The bucket of a machine without a cloud: the storage emulator on a loopback port."""

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCAL_BUCKET: Final = "fashion-mnist-local"

log = logging.getLogger(__name__)


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[str]:
    """Serves the bucket ``gs://fashion-mnist-local`` from ``directory`` while the block runs.

    The emulator keeps its index in memory, so a directory has one emulator at a time: a second
    caller waits until the first has finished.

    Args:
        directory: Where the objects are kept; made when missing.

    Yields:
        The value for ``STORAGE_EMULATOR_HOST``: ``http://127.0.0.1:PORT``.
    """
    from gcp_storage_emulator.server import create_server

    for name in ("gcp_storage_emulator", "api.bucket", "api.object"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        server = create_server(
            "127.0.0.1", 0, data_dir=str(directory.resolve()), default_bucket=LOCAL_BUCKET
        )
        # The emulator offers no way to make its thread a daemon, nor to ask for its port.
        server._api.daemon = True
        server.start()
        try:
            yield f"http://127.0.0.1:{server._api._httpd.server_port}"
        finally:
            server.stop()


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    with (directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("%s is used by another run; waiting for it to finish", directory)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
