"""Scratch space on the local disk, and the error for a full disk."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.dataset.errors import DiskError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def scratch_directory(step: str, *others: Path) -> Iterator[Path]:
    """A temporary directory that is removed at the end, also after a failure.

    An error also names the ``others``, which the block writes to.

    Raises:
        DiskError: A disk or a quota was full; other ``OSError`` pass unchanged.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f"{step}-") as scratch:
            yield Path(scratch)
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
