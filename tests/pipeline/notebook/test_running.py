"""Steps that are run again by themselves, on a small dataset; and what is refused before."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StepFailed, UsageError
from pipeline.notebook import (
    Artifact,
    ArtifactError,
    last_run,
    read_raw,
    read_split,
    rerun,
    running,
)
from pipeline.notebook.running import LineWatcher, run_pipeline
from pipeline.runs.record import Run, RunError, Task
from tests.idx_files import FASHION


def test_a_step_runs_by_itself_on_the_outputs_of_an_earlier_run(
    empty: Run, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landed = rerun(empty, "ingest")
    assert landed["ingest"]["raw"].uri.startswith("gs://fashion-mnist-local/raw/")
    decoded = rerun(landed, "decode", shards=3)
    assert len(list(decoded.artifact("train_records").path.glob("*.tfrecord"))) == 3
    assert (landed.parameters["shards"], decoded.parameters["shards"]) == (2, 3)
    assert set(decoded.steps) == {"ingest", "decode"}
    told = capsys.readouterr().out
    assert "Decode: started\n" in told
    assert "Decode: done in" in told
    images, labels, about = read_raw(decoded.artifact("raw"), "test")
    read_back, labels_back, _ = read_split(decoded.artifact("test_records"))
    assert (images == read_back).all()
    assert (labels == labels_back).all()
    assert about.classes == FASHION.classes
    # Its folder is like any run's, and nothing was put into the cache.
    summary = json.loads((root / "runs" / decoded.id / "summary.json").read_text())
    assert (summary["state"], summary["earlier"]) == ("done", landed.id)
    assert [step["name"] for step in summary["steps"]] == ["decode"]
    assert not [path for path in (root / "cache").rglob("*") if path.is_file()]
    # An artifact can be given in place of the earlier run's, and a failure is one line.
    other = rerun(empty, "decode", raw=tmp_path / "source")
    assert other.artifact("test_records").metadata["examples"] == 40
    with pytest.raises(StepFailed, match=r"Decode failed: .*validation_examples"):
        rerun(landed, "decode", validation_examples=5000)


@pytest.mark.parametrize(
    ("step", "changes", "error", "text"),
    [
        ("trian", {}, UsageError, "the steps are ingest, decode, "),
        ("train", {"learnrate": 0.1}, UsageError, "train has no parameter 'learnrate'; did you"),
        ("train", {"epochs": "three"}, UsageError, "epochs='three': epochs takes a whole number"),
        ("train", {"dropout": 1.5}, UsageError, "dropout is 1.5"),
        ("decode", {}, RunError, r"decode reads 'raw'.*rerun\(run, 'ingest'"),
        ("decode", {"raw": "/gone"}, ArtifactError, "/gone is gone"),
    ],
)
def test_wrong_use_is_refused_before_anything_starts(
    empty: Run, step: str, changes: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        rerun(empty, step, **changes)
    assert not empty.directory.parent.exists()


def test_a_model_that_the_gate_refused_is_not_uploaded(empty: Run) -> None:
    outputs = {"Output": False, "evaluation": Artifact("e", {"reason": "Not passed: x."})}
    empty.steps["evaluate"] = Task("evaluate", "Evaluate", "done", 1.0, outputs)
    with pytest.raises(RunError, match=r"refused this model: Not passed: x.*min_improvement=-1"):
        rerun(empty, "upload")


def test_without_a_run_the_error_says_how_to_make_one(root: Path) -> None:
    with pytest.raises(RunError, match=rf'{root} yet.*last_run\(or_start="fast"\).*`make run`'):
        last_run()
    with pytest.raises(UsageError, match="choose accurate, best, f"):
        last_run(or_start="quick")
    with pytest.raises(UsageError, match="no parameter 'epoch'; did you mean"):
        run_pipeline(epoch=1)


def test_stale_compiled_files_are_an_error_with_the_commands_text(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [0, 2]

    def check(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        code = codes.pop(0) if "compile" in command else 1
        return subprocess.CompletedProcess(command, code, "", "error: stale: run …\n")

    monkeypatch.setattr(subprocess, "run", check)
    running.check_compiled()
    with pytest.raises(UsageError, match=r"^stale: run …$"):
        run_pipeline()


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
        "  epoch 1       \n"  # As long as what it is drawn over.
        "Train: done in 2.0 s\n"
    )
