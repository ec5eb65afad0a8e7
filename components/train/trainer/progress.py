"""A line that shows how far the training is, and then makes room for the next."""

import os
import sys
import time
from collections.abc import Callable
from typing import Final

INTERVAL: Final = 0.5
"""Seconds between two lines."""
SWITCH: Final = "FASHION_MNIST_PROGRESS"
"""Set to 1 by a runner that reads such lines although it is no terminal."""

MINUTES: Final = 90.0
"""From how many seconds on a time is told in minutes."""


class Pace:
    """How long the steps that are left will take, if they are as fast as those before.

    The first step is not counted: it traces the network, which takes seconds.

    Args:
        clock: Seconds that have passed since some time.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._counted = -1
        self._start = 0.0

    def step(self) -> None:
        """Counts a step that has been taken."""
        self._counted += 1
        if self._counted == 0:
            self._start = self._clock()

    def left(self, steps: int) -> str:
        """The time that ``steps`` will take, as ``12 min left``; nothing before the second step."""
        if self._counted < 1:
            return ""
        seconds = (self._clock() - self._start) / self._counted * steps
        if seconds < MINUTES:
            return f"{seconds:.0f} s left"
        return f"{seconds / 60:.0f} min left"


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
