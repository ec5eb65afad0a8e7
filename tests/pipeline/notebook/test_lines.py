import io

from pipeline.notebook.lines import LineWatcher
from pipeline.runs.record import Task


def test_progress_is_drawn_over_and_lines_stay() -> None:
    stream = io.StringIO()
    watcher = LineWatcher(stream)
    task = Task("train", "Train")
    watcher.started(task)
    watcher.said(task, "step 99 of 100", transient=True)
    watcher.said(task, "epoch 1", transient=False)
    task.state, task.seconds = "done", 2.0
    watcher.ended(task)
    assert stream.getvalue() == (
        "Train: started\n"
        "  step 99 of 100\r"
        # As long as what it is drawn over.
        "  epoch 1       \n"
        "Train: done in 2.0 s\n"
    )
