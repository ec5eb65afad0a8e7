"""Which state of the code is measured."""

import subprocess
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
DESCRIBE: Final = ("describe", "--always", "--abbrev=12", "--exclude=*", "--dirty")
"""The commit, with ``-dirty`` behind it where files have changed since."""


def revision(project: Path = PROJECT) -> str:
    """The commit that is checked out; empty without git."""
    command = ["git", "-C", str(project), *DESCRIBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
