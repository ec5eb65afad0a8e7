"""A line that shows how far an epoch is, and then makes room for the next."""

import os
import sys
import time
from typing import Final

INTERVAL: Final = 0.5
"""Seconds between two lines."""
SWITCH: Final = "FASHION_MNIST_PROGRESS"
"""Set to 1 by a runner that reads such lines although it is no terminal."""


class Ticker:
    """Says when it is time to look at the training, and shows a line on a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._shown = self._terminal or os.environ.get(SWITCH) == "1"
        self._next = 0.0

    def due(self) -> bool:
        """Whether ``INTERVAL`` has passed since it last was."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + INTERVAL
        return True

    def show(self, line: str) -> None:
        """Writes ``line`` so that the next one replaces it, where somebody can see it."""
        if self._shown:
            sys.stdout.write(line + "\r")
            sys.stdout.flush()

    def clear(self) -> None:
        """Empties the line on a terminal."""
        if self._terminal:
            self.show(" " * 79)
