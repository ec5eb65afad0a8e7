"""This checkout: its folder and its commit."""

import subprocess
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent


def git_revision() -> str:
    """The commit that is checked out; empty outside a git checkout."""
    return (_git("rev-parse", "HEAD") or "").strip()


def is_dirty() -> bool:
    """Whether the checkout has changes that are not committed."""
    return bool(_git("status", "--porcelain"))


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(PROJECT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
