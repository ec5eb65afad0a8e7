"""What a person sees of a run: a live table or plain lines while it lasts, its result after."""

import contextlib
import functools
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.cli.console import next_steps
from pipeline.cli.options import root_option
from pipeline.duration import duration
from pipeline.errors import Interrupted
from pipeline.paths import shown
from pipeline.program import command
from pipeline.runs.chosen_model import MODEL
from pipeline.runs.record import Run, Task, Watcher
from pipeline.runs.root import Root

MARKS: Final = {
    "waiting": ("·", "dim"),
    "running": ("▶", "cyan"),
    "done": ("✓", "green"),
    "cached": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("✗", "yellow"),
    "skipped": ("-", "dim"),
}


class PlainWatcher:
    """A line for each thing that happens: for logs, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def started(self, task: Task) -> None:
        """Says that a task begins."""
        self._print(f"{task.title}: started")

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Shows a line of the task's own."""
        if not transient:
            self._print(f"  {task.name} | {line}")

    def ended(self, task: Task) -> None:
        """Says how a task ended, and its figure."""
        self._print(f"{task.title}: {task.outcome}")

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveWatcher:
    """A table of all steps that is drawn anew while the run lasts."""

    def __init__(self, console: Console, tasks: Iterable[Task]) -> None:
        self.tasks = list(tasks)
        self.notes: dict[str, str] = {}
        self.begun: dict[str, float] = {}
        self.live = Live(console=console, get_renderable=self.table, refresh_per_second=4)

    def started(self, task: Task) -> None:
        """Notes when a task began."""
        self.begun[task.name] = time.monotonic() - task.seconds

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Keeps a task's newest line to show beside it."""
        del transient
        self.notes[task.name] = line

    def ended(self, task: Task) -> None:
        """Draws the table with the task's figure."""
        self.notes.pop(task.name, None)
        self.live.refresh()

    def table(self) -> Table:
        """The table as it is now."""
        table = Table(box=None, pad_edge=False, expand=True)
        table.add_column("Step", no_wrap=True)
        table.add_column("State", no_wrap=True)
        table.add_column("Time", justify="right", no_wrap=True)
        table.add_column("", ratio=1, no_wrap=True, overflow="ellipsis")
        for task in self.tasks:
            mark, style = MARKS[task.state]
            table.add_row(
                Text(task.title, style="bold" if task.state == "running" else ""),
                Text(f"{mark} {task.state}", style=style),
                self._time(task),
                self._note(task),
            )
        return table

    def _time(self, task: Task) -> str:
        if task.state == "running":
            return duration(time.monotonic() - self.begun[task.name])
        return duration(task.seconds) if task.seconds else ""

    def _note(self, task: Task) -> Text:
        if task.state == "running":
            return Text(self.notes.get(task.name, ""), style="dim")
        return Text(task.figure)


def watch_on(file: TextIO) -> Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]]:
    """A ``watch`` that shows a run on another file than standard output."""
    return functools.partial(watch, file=file)


@contextlib.contextmanager
def watch(tasks: list[Task], file: TextIO | None = None) -> Iterator[Watcher]:
    """Shows a run while the block lasts: a live table on a terminal, plain lines elsewhere."""
    console = Console(file=file or sys.stdout)
    if not console.is_terminal:
        yield PlainWatcher(console)
        return
    watcher = LiveWatcher(console, tasks)
    with watcher.live:
        yield watcher


@contextlib.contextmanager
def stopped_by_signals(
    said: str = "interrupted; the steps that were done stay in the cache",
) -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end the block as ``Interrupted``, with what there is to say."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(said) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def tell(run: Run, root: Root, console: Console) -> None:
    """Says what came out of a run in a root."""
    cached = sum(task.state == "cached" for task in run.steps.values())
    again = f", {cached} steps from the cache" if cached else ""
    lines = [f"Run        {run.id} in {duration(run.seconds)}{again}"]
    if run.metrics:
        lines.append(f"Accuracy   {run.metrics['accuracy']:.4f} on the test set")
        verdict = f"Verdict    {run.reason}"
        if console.is_terminal:
            verdict = textwrap.fill(verdict, console.width, subsequent_indent=" " * 11)
        lines.append(verdict)
    if run.version:
        name = run.parameters["model_name"]
        place = root.registry / name / run.version
        lines.append(f"Model      {name} version {run.version}: {place}")
    elif run.passed is False:
        lines.append("Model      not uploaded")
    if run.report:
        lines.append(f"Report     {shown(run.report)}")
    console.print("", *lines, sep="\n", highlight=False, markup=False)
    if run.metrics:
        own = root_option(root.path)
        predict = f"predict{_model_options(run)}{own} PHOTO"
        next_steps(
            {
                command(f"report{own}"): "opens the report",
                command(predict): "asks the model about a picture",
                command("submit --bucket BUCKET"): "runs the same file on Vertex AI",
            }
        )


def _model_options(run: Run) -> str:
    """What ``predict`` needs to be told to ask the model of a run."""
    if not run.version:
        return f" --run {run.id[-4:]}"
    name = run.parameters["model_name"]
    return "" if name == MODEL else f" --version {name}@{run.version}"
