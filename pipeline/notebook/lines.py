"""What a cell shows of a run while it lasts."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from pipeline.runs.record import Task


class LineWatcher:
    """Plain lines, the newest of them drawn over while it is progress.

    Args:
        stream: What to write to. It is taken before the run begins, which keeps to itself what
            kfp prints.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.width = 0

    def started(self, task: Task) -> None:
        """Says that a task begins."""
        self._write(f"{task.title}: started")

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Shows a line of the task's own."""
        del task
        self._write(f"  {line}", end="\r" if transient else "\n")

    def ended(self, task: Task) -> None:
        """Says how a task ended, and its figure."""
        self._write(f"{task.title}: {task.outcome}")

    def _write(self, text: str, end: str = "\n") -> None:
        # Blanks wipe out what is longer of the progress before.
        self.stream.write(f"{text:<{self.width}}{end}")
        self.stream.flush()
        self.width = len(text) if end == "\r" else 0


@contextlib.contextmanager
def watch(_tasks: list[Task]) -> Iterator[LineWatcher]:
    """Shows a run below the cell while the block lasts."""
    yield LineWatcher(sys.stdout)
