"""Files that a reader finds whole or not at all, even when their writer is killed."""

import os
import secrets
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".unfinished-"
"""How the name of a file starts while it is being written."""


def write(path: Path, content: str | bytes) -> None:
    """Writes a file; a reader finds the earlier content or the new one, never a part.

    The target of a link is replaced, not the link; a device such as ``/dev/null`` is written to.

    Raises:
        OSError: The directory cannot be written, or the disk is full; ``path`` is unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    temporary = place.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(place)
    except OSError as error:
        if temporary.parent.is_dir():
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
