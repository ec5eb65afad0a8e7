"""Files that are found whole or not at all, whatever ends their writer: a kill or a power cut."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".unfinished-"
"""How the name begins under which a file is written before it gets its own."""


def write(path: Path, content: str | bytes, *, sync: bool = True) -> None:
    """Writes a file; a reader finds the one before or the new one, never a part.

    Args:
        path: The file; its directory must be there.
        content: Text is written as UTF-8.
        sync: Wait until the disk has it. Without, it outlives a kill and not a power cut.

    Raises:
        OSError: The directory cannot be written, or the disk is full; ``path`` is as it was.
    """
    with replacing(path, sync=sync) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Gives a path beside ``path`` to write to, which takes its place at the end of the block.

    A link stays one, and what it leads to is replaced; what is there and is no file, as
    ``/dev/null``, is given itself.

    Raises:
        OSError: As ``write``.
    """
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        yield place
        return
    temporary = place.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        yield temporary
        if sync:
            sync_file(temporary)
        temporary.replace(place)
    except OSError as error:
        if error.filename != str(temporary):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(NotADirectoryError):
            temporary.unlink(missing_ok=True)
    if sync:
        sync_file(place.parent)


def sync_tree(directory: Path) -> None:
    """Waits until the disk has a directory and everything in it.

    Raises:
        OSError: The disk is full or failed.
    """
    for path in (*directory.rglob("*"), directory):
        sync_file(path)


def sync_file(path: Path) -> None:
    """Waits until the disk has a file, or the names in a directory.

    Raises:
        OSError: The disk is full or failed.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # Some file systems cannot do it for a directory.
            raise
    finally:
        os.close(descriptor)
