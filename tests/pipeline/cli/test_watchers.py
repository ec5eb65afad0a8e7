"""What people see of a run while it lasts, and of its result."""

import io

from rich.console import Console

from pipeline.cli.watchers import LiveWatcher, PlainWatcher
from pipeline.runs.record import Artifact, Task
from pipeline.steps import STEPS


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def running() -> tuple[Task, LiveWatcher]:
    task = Task("train", "Train")
    watcher = LiveWatcher(terminal(), [task])
    task.state = "running"
    watcher.started(task)
    return task, watcher


def drawn(watcher: LiveWatcher, width: int = 80) -> list[str]:
    console = terminal(width)
    console.print(watcher.table())
    return [line.rstrip() for line in written(console).splitlines()]


def test_the_table_has_a_row_for_each_step_with_its_state() -> None:
    watcher = LiveWatcher(terminal(), [Task(step.name, step.title) for step in STEPS])
    header, *rows = drawn(watcher)
    assert header.split() == ["Step", "State", "Time"]
    assert [row.split("  ")[0] for row in rows] == [step.title for step in STEPS]
    assert all(row.endswith("· waiting") for row in rows)


def test_a_row_shows_the_progress_and_then_the_figure_of_its_step() -> None:
    task, watcher = running()
    with watcher.live:
        watcher.said(task, "epoch 1/7: 40 %", transient=True)
        assert drawn(watcher)[1].startswith("Train  ▶ running  0.0 s  epoch 1/7: 40 %")
        task.state, task.seconds = "done", 90.0
        task.outputs = {"model": Artifact("gs://b/model", {"validation_accuracy": 0.9456})}
        watcher.ended(task)
    (row,) = drawn(watcher)[1:]
    assert row == "Train  ✓ done  1 min 30 s  validation accuracy 0.9456"


def test_a_long_line_does_not_break_the_table() -> None:
    task, watcher = running()
    watcher.said(task, "x" * 500, transient=False)
    rows = drawn(watcher, 60)
    assert len(rows) == 2
    assert rows[1].endswith("…")
    assert len(rows[1]) == 60


def test_plain_lines_leave_out_progress_and_keep_markup() -> None:
    console = Console(file=io.StringIO(), width=20)
    watcher = PlainWatcher(console)
    task = Task("train", "Train")
    watcher.started(task)
    watcher.said(task, "40 %", transient=True)
    watcher.said(task, "[bold] a line longer than the terminal is wide", transient=False)
    task.state = "cached"
    watcher.ended(task)
    assert written(console).splitlines() == [
        "Train: started",
        "  train | [bold] a line longer than the terminal is wide",
        "Train: from the cache",
    ]
