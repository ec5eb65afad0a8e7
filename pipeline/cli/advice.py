"""What a person can do about a file that cannot be read or written."""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from components.dataset.disk import FULL

DENIED: Final = "permission denied; change the rights of it or its folder, or choose another"
ADVICE: Final[Mapping[int, str]] = {
    errno.ENOENT: "it is not there; correct the name",
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: "nothing can be written there; choose another place",
    errno.EEXIST: "it is there already and in the way; move it, or choose another",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENOTDIR: "what it should be in is no folder; correct the name",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def advice(error: OSError) -> str:
    """What happened and what to do about it, in a line; the system's words where that is all."""
    at = "" if error.filename is None else str(error.filename)
    if error.errno in FULL:
        return f"the disk is full{at and f' at {at}'}; free some space, and call it again"
    what = ADVICE.get(error.errno or 0)
    if not at or what is None:
        return str(error)
    folder = Path(at).parent
    if error.errno == errno.ENOENT and not folder.exists():
        return f"{at}: there is no folder {folder}; make it, or choose another"
    return f"{at}: {what}"
