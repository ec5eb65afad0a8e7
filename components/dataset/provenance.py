"""Which code made an output."""

import hashlib
from pathlib import Path
from typing import Final

INTERFACE: Final = "component.py"
"""Stays behind when a step is embedded, so it does not count."""


def code_digest(folder: Path) -> str:
    """The digest of a step's code: hexadecimal SHA-256 over file names and bytes.

    The same in a checkout and in a container: every ``.py`` under ``folder`` counts, but for the
    ``component.py`` that is not embedded.

    Args:
        folder: The step's package, such as ``components/train``.
    """
    digest = hashlib.sha256()
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    for name in sorted(paths.keys() - {INTERFACE}):
        content = hashlib.sha256(paths[name].read_bytes()).hexdigest()
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()
