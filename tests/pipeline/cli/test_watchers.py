"""What people see of a run while it lasts, and of its result."""

import io

import pytest
from rich.console import Console

from pipeline.cli.watchers import MARKS, LiveWatcher, PlainWatcher
from pipeline.runs.record import Artifact, Task
from pipeline.steps import STEPS


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def running(width: int = 80) -> tuple[Task, LiveWatcher]:
    task = Task("train", "Train")
    watcher = LiveWatcher(terminal(width), [task])
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


@pytest.mark.parametrize("line", ["x" * 500, "two\nlines \x1b[2J" * 50, "40 %"])
def test_the_table_keeps_its_rows_and_leaves_room_for_an_interrupt(line: str) -> None:
    task, watcher = running(60)
    watcher.said(task, line, transient=False)
    with watcher.live:
        pass
    _, *rows, _ = written(watcher.console).replace("\x1b[?25l", "\x1b[?25h").split("\n")
    assert len(rows) in (1, 3), "drawn when it begins and when it ends"
    assert {len(row) for row in rows if row.startswith("Train")} == {58}
    assert drawn(watcher, 60)[1].endswith("…") == (len(line) > 60)


def test_an_encoding_without_marks_gets_the_words_alone() -> None:
    output = io.TextIOWrapper(io.BytesIO(), "ascii")
    console = Console(file=output, force_terminal=True, width=60, color_system=None)
    watcher = LiveWatcher(console, [Task("train", "Train", state) for state in MARKS])
    watcher.said(watcher.tasks[1], "x" * 500, transient=False)
    console.print(watcher.table())
    text = output.buffer.getvalue().decode("ascii")
    assert [row.split()[1] for row in text.splitlines()[1:]] == list(MARKS)


def test_plain_lines_leave_out_progress_and_keep_markup() -> None:
    console = Console(file=io.StringIO(), width=20)
    watcher = PlainWatcher(console)
    task = Task("train", "Train")
    watcher.started(task)
    watcher.said(task, "40 %", transient=True)
    watcher.said(task, "[bold] a line longer than the terminal is wide \x1b[2J", transient=False)
    task.state = "cached"
    watcher.ended(task)
    assert written(console).splitlines() == [
        "Train: started",
        r"  train | [bold] a line longer than the terminal is wide \x1b[2J",
        "Train: from the cache",
    ]
