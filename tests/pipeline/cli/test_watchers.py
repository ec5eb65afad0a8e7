import io

from rich.console import Console

from pipeline.cli.watchers import LiveWatcher, PlainWatcher
from pipeline.runs.record import Task


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def running() -> tuple[Task, LiveWatcher]:
    task = Task("train", "Train")
    watcher = LiveWatcher(terminal(), [task])
    task.state = "running"
    watcher.started(task)
    return task, watcher


def drawn(watcher: LiveWatcher) -> list[str]:
    console = terminal()
    console.print(watcher.table())
    return [line.rstrip() for line in written(console).splitlines()]


def test_the_table_has_a_row_for_each_step_with_its_state() -> None:
    watcher = LiveWatcher(terminal(), [Task("ingest", "Ingest"), Task("train", "Train")])
    rows = drawn(watcher)
    assert rows[0].split() == ["Step", "State", "Time"]
    assert [row.split() for row in rows[1:]] == [
        ["Ingest", "·", "waiting"],
        ["Train", "·", "waiting"],
    ]


def test_the_progress_of_a_running_step_stands_in_its_row() -> None:
    task, watcher = running()
    watcher.said(task, "epoch 1/7: 40 %", transient=True)
    assert drawn(watcher)[1].startswith("Train  ▶ running  0.0 s  epoch 1/7: 40 %")


def test_a_step_that_is_done_shows_its_figure_instead() -> None:
    task, watcher = running()
    with watcher.live:
        watcher.said(task, "epoch 1/7", transient=True)
        task.state, task.seconds = "done", 90.0
        watcher.ended(task)
    (row,) = drawn(watcher)[1:]
    assert row.split() == ["Train", "✓", "done", "1", "min", "30", "s"]


def test_a_long_line_does_not_break_the_table() -> None:
    task, watcher = running()
    watcher.said(task, "x" * 500, transient=False)
    rows = drawn(watcher)
    assert len(rows) == 2
    assert rows[1].endswith("…")


def test_plain_lines_leave_progress_out_and_markup_alone() -> None:
    console = Console(file=io.StringIO(), width=20)
    watcher = PlainWatcher(console)
    task = Task("train", "Train")
    watcher.started(task)
    watcher.said(task, "40 %", transient=True)
    watcher.said(task, "[bold] a line longer than the terminal is wide", transient=False)
    assert written(console) == (
        "Train: started\n  train | [bold] a line longer than the terminal is wide\n"
    )
