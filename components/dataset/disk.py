"""Scratch space on the local disk, and the error that says that a disk is full."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from components.dataset.errors import DiskError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LOCK: Final = ".scratch-lock"
"""Ends the name of the file beside a scratch directory on which its owner holds a lock."""
STALE_SECONDS: Final = 60.0
"""Younger ones are left alone: their owner may be about to take the lock."""


@contextmanager
def scratch_directory(step: str, *others: Path) -> Iterator[Path]:
    """A temporary directory that is removed at the end, also after a failure.

    What a process that was killed has left is removed by the next one.

    Args:
        step: Who needs it; begins the directory's name.
        *others: Further directories that the block writes to, for the error's text.

    Raises:
        DiskError: A disk or a quota was full; other ``OSError`` pass unchanged.
    """
    _remove_stale(step)
    try:
        with _locked_directory(step) as directory:
            yield directory
    except OSError as error:
        if error.errno not in FULL:
            raise
        places = tempfile.gettempdir()
        if others:
            places += f" or {os.path.commonpath(others)}"
        raise DiskError(
            f"the disk is full at {places} ({error.strerror}); free some space, or use a larger "
            "disk (TMPDIR, or --root of a local run), and run again"
        ) from error


@contextmanager
def _locked_directory(step: str) -> Iterator[Path]:
    # The file comes first and goes last: without it nobody would look for the directory.
    with tempfile.NamedTemporaryFile(prefix=f"{step}-", suffix=LOCK) as lock:
        with contextlib.suppress(OSError):  # A file system without locks.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        directory = Path(lock.name.removesuffix(LOCK))
        directory.mkdir(mode=0o700)
        try:
            yield directory
        finally:
            shutil.rmtree(directory)


def _remove_stale(step: str) -> None:
    """Removes the directories whose owner is gone; a lock ends with its process."""
    for path in Path(tempfile.gettempdir()).glob(f"{step}-*{LOCK}"):
        with contextlib.suppress(OSError), path.open("r+") as lock:
            if time.time() - path.stat().st_mtime >= STALE_SECONDS:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.with_name(path.name.removesuffix(LOCK)), ignore_errors=True)
                path.unlink()
