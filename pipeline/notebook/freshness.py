"""Whether ``compiled/`` is what the source compiles to, asked once for each state of both."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from pipeline.compiler import COMPILED, PROJECT
from pipeline.errors import UsageError

_passed: set[tuple[tuple[str, int], ...]] = set()
SOURCES: Final = ("components", "pipeline")


def check_compiled() -> None:
    """Passes when the committed files are up to date.

    It looks in a process of its own: this one keeps the modules that it has imported, whatever
    has been edited since.

    Raises:
        UsageError: A file is stale; the text holds a short diff.
    """
    state = _state()
    if state in _passed:
        return
    print("looking whether compiled/ is up to date")  # noqa: T201 - a cell's own output
    command = [sys.executable, "-m", "pipeline", "compile", "--check"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))
    _passed.add(state)


def _state() -> tuple[tuple[str, int], ...]:
    """Path and time of each file that matters."""
    files: list[Path] = [*COMPILED.rglob("*.yaml")]
    for folder in SOURCES:
        files += (PROJECT / folder).rglob("*.py")
        files += (PROJECT / folder).rglob("*.txt")
    return tuple(sorted((str(path), path.stat().st_mtime_ns) for path in files))
