"""Shows how far a download is: a bar on a terminal, or transient lines for the local runner."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""Takes the number of bytes that have arrived since the last call."""


@contextmanager
def download_progress(file: str, total: int | None) -> Iterator[Advance]:
    """Shows the download of one file while the block runs; nothing where nobody watches.

    Args:
        file: The name to show.
        total: Expected bytes, None when unknown.
    """
    if sys.stdout.isatty():
        with _bar(file, total) as advance:
            yield advance
    elif os.environ.get("FASHION_MNIST_PROGRESS") == "1":
        yield _Line(file, total).advance
    else:
        yield lambda size: None


@contextmanager
def _bar(file: str, total: int | None) -> Iterator[Advance]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), transient=True) as bar:
        task = bar.add_task(file, total=total)
        yield lambda size: bar.advance(task, size)


class _Line:
    """Writes a line that the next one replaces, four times a second at most."""

    def __init__(self, file: str, total: int | None) -> None:
        self._file = file
        self._of = f" of {total / 1e6:.1f}" if total else ""
        self._received = 0
        self._last = 0.0

    def advance(self, size: int) -> None:
        self._received += size
        if time.monotonic() - self._last >= 0.25:
            self._last = time.monotonic()
            sys.stdout.write(f"{self._file} {self._received / 1e6:.1f}{self._of} MB\r")
            sys.stdout.flush()
