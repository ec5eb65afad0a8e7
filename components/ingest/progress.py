"""Shows the progress of a download: a line that is overwritten, where somebody watches."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SECONDS: Final = 0.25
"""Time between two updates."""


@contextmanager
def download_progress(file: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows the download of one file on a terminal or in the local runner's live table.

    Args:
        file: The name to show.
        total: Expected bytes, None when unknown.

    Yields:
        A function that takes the number of bytes that have arrived since the last call.
    """
    terminal = sys.stdout.isatty()
    watched = terminal or os.environ.get("FASHION_MNIST_PROGRESS") == "1"
    of = f" of {total / 1e6:.1f}" if total else ""
    received, last = 0, 0.0

    def advance(size: int) -> None:
        nonlocal received, last
        received += size
        if watched and time.monotonic() - last >= SECONDS:
            last = time.monotonic()
            sys.stdout.write(f"{file} {received / 1e6:.1f}{of} MB\r")
            sys.stdout.flush()

    yield advance
    if terminal:
        sys.stdout.write("\x1b[K")  # Clears the line.
