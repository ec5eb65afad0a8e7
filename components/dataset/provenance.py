"""Which code made an output."""

import hashlib
from pathlib import Path
from typing import Final

INTERFACES: Final = frozenset(
    {"component.py", "trainer/data_files.py", "trainer/presets.py", "trainer/task.py"}
)
"""How a step's code is called: as a component, or by a command line. They stay behind when it is
embedded, and do not count."""


def code_digest(folder: Path) -> str:
    """The digest of a step's code: hexadecimal SHA-256 over file names and bytes.

    The same in a checkout and in a container: every ``.py`` under ``folder`` counts that is
    embedded.

    Args:
        folder: The step's package, such as ``components/train``.
    """
    digest = hashlib.sha256()
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    for name in sorted(paths.keys() - INTERFACES):
        content = hashlib.sha256(paths[name].read_bytes()).hexdigest()
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()
