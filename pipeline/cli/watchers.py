"""What you see of a run, here or on Vertex AI: live while it lasts, and its result."""

import contextlib
import signal
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pipeline.cli.console import Output, is_plain, styled
from pipeline.errors import Interrupted
from pipeline.runs.record import Run, Task, Watcher
from pipeline.text import duration, printable

MARKS: Final = {
    "waiting": ("·", "dim"),
    "running": ("▶", "cyan"),
    "done": ("✓", "green"),
    "cached": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("✗", "yellow"),
    "skipped": ("-", "dim"),
}
INTERRUPT: Final = "^C"
"""What a terminal writes at the end of the table when somebody interrupts."""


class PlainWatcher:
    """A line for each thing that happens: for logs, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def started(self, task: Task) -> None:
        """Prints that a step starts."""
        self._print(f"{task.title}: started")

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Prints a line that a step wrote."""
        if not transient:
            self._print(f"  {task.name} | {line}")

    def ended(self, task: Task) -> None:
        """Prints how a step ended, and its figure."""
        self._print(f"{task.title}: {task.outcome}")

    def _print(self, text: str) -> None:
        self.console.print(styled(printable(text)), soft_wrap=True)


class LiveWatcher:
    """A table of all steps that is redrawn while the run lasts."""

    def __init__(self, console: Console, tasks: Iterable[Task]) -> None:
        self.console = console
        self.tasks = list(tasks)
        self.notes: dict[str, str] = {}
        self.begun: dict[str, float] = {}
        self.live = Live(console=console, get_renderable=self.table, refresh_per_second=4)

    def started(self, task: Task) -> None:
        """Notes when a step started."""
        self.begun[task.name] = time.monotonic() - task.seconds

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Shows a step's newest line in its row."""
        del transient
        self.notes[task.name] = printable(line)

    def ended(self, task: Task) -> None:
        """Shows the step's figure in its row."""
        self.notes.pop(task.name, None)
        self.live.refresh()

    def table(self) -> Table:
        """The table as it is now."""
        plain, width = is_plain(self.console), self.console.width - len(INTERRUPT)
        # At the terminal's edge INTERRUPT would begin a line, and the table move down by one.
        table = Table(box=None, pad_edge=False, width=width)
        table.add_column("Step", no_wrap=True)
        table.add_column("State", no_wrap=True)
        table.add_column("Time", justify="right", no_wrap=True)
        table.add_column("", ratio=1, no_wrap=True, overflow="crop" if plain else "ellipsis")
        for task in self.tasks:
            mark, style = MARKS[task.state]
            running = task.state == "running"
            table.add_row(
                styled(task.title, "bold" if running else ""),
                styled(task.state if plain else f"{mark} {task.state}", style),
                self._time(task),
                styled(self.notes.get(task.name, ""), "dim") if running else styled(task.figure),
            )
        return table

    def _time(self, task: Task) -> str:
        if task.state == "running":
            return duration(time.monotonic() - self.begun.get(task.name, time.monotonic()))
        return duration(task.seconds) if task.seconds else ""


def watch_on(file: TextIO) -> Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]]:
    """What shows a run in ``file``: a live table on a terminal, plain lines elsewhere."""

    @contextlib.contextmanager
    def watch(tasks: list[Task]) -> Iterator[Watcher]:
        console = Output(file)
        if not console.is_terminal:
            yield PlainWatcher(console)
            return
        watcher = LiveWatcher(console, tasks)
        with watcher.live:
            yield watcher

    return watch


@contextlib.contextmanager
def stopped_by_signals(
    message: str = "interrupted; finished steps stay in the cache",
) -> Iterator[None]:
    """Turns Ctrl-C and SIGTERM within the block into ``Interrupted`` with a message."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(message) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def show_result(run: Run, console: Console, places: dict[str, str]) -> None:
    """Prints the result of a run that ended well, and where its model and its report are."""
    cached = sum(task.state == "cached" for task in run.steps.values())
    steps = "step" if cached == 1 else "steps"
    from_cache = f", {cached} {steps} from the cache" if cached else ""
    lines = {"Run": f"{run.id} in {duration(run.seconds)}{from_cache}"}
    if run.accuracy is not None:
        lines["Accuracy"] = f"{run.accuracy:.4f} on the test set"
        verdict = run.reason
        if console.is_terminal:
            verdict = textwrap.fill(verdict, console.width - 11, break_long_words=False)
        lines["Verdict"] = verdict.replace("\n", "\n" + " " * 11)
    lines |= places
    text = "\n".join(f"{name:<10} {about}" for name, about in lines.items())
    console.print(styled(f"\n{text}"))
