"""The record of a run: written, read again, and what it says."""

import datetime
import json
from pathlib import Path

import pytest
from kfp.dsl import Artifact

from pipeline.errors import UsageError
from pipeline.runs.record import Run, RunError
from tests import evaluations

RUN = "fashion-mnist-20261124-234143-7fde"


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = evaluations.write_run(tmp_path, RUN, error="no luck", earlier="another")
    read = Run.read(written.directory)
    assert read == written
    assert read.as_json() == written.as_json()
    assert (read.accuracy, read.passed, read.version) == (0.75, True, "13")
    assert read.reason == "Passed: as it should."


def test_a_summary_has_the_keys_that_are_documented(tmp_path: Path) -> None:
    written = evaluations.write_run(tmp_path, RUN)
    # What kfp gives as an artifact is written too.
    name = "projects/p/models/m@13"
    written["upload"]["model"] = Artifact(uri=str(tmp_path), metadata={"resourceName": name})
    written.write()
    assert Run.read(written.directory).version == "13"
    summary = json.loads((written.directory / "summary.json").read_text())
    assert list(summary) == [
        *("run", "earlier", "state", "error", "started", "seconds", "spec_digest", "parameters"),
        *("defaults", "metrics", "verdict", "model", "report", "steps"),
    ]
    assert summary["verdict"] == {"passed": True, "reason": "Passed: as it should."}
    assert summary["model"] == {"name": "fashion-mnist", "version": "13"}
    assert summary["steps"][-1]["figure"] == "version 13"


@pytest.mark.parametrize(
    ("summary", "state"),
    [(None, "unfinished"), ('{"run": "fash', "damaged"), ("[]", "damaged")],
)
def test_a_run_without_a_readable_summary_is_unfinished_or_damaged(
    tmp_path: Path, summary: str | None, state: str
) -> None:
    run = evaluations.write_run(tmp_path, RUN, {})
    (run.directory / "summary.json").unlink()
    if summary is not None:
        (run.directory / "summary.json").write_text(summary)
    read = Run.read(run.directory)
    assert (read.id, read.state, read.evaluated) == (RUN, state, False)
    assert read.started == datetime.datetime(2026, 11, 24, 23, 41, 43, tzinfo=datetime.UTC)
    with pytest.raises(RunError, match=rf"{RUN} has no readable .* was killed; .* or run again"):
        read.evaluation()


def test_a_run_with_other_outputs_than_a_step_has_is_damaged(tmp_path: Path) -> None:
    run = evaluations.write_run(tmp_path, RUN, {})
    summary = json.loads((run.directory / "summary.json").read_text())
    summary["steps"] = [
        {"name": "evaluate", "display_name": "Evaluate", "state": "done", "seconds": 1.0}
        | {"outputs": {"metrics": 3}}
    ]
    (run.directory / "summary.json").write_text(json.dumps(summary))
    assert Run.read(run.directory).state == "damaged"


@pytest.mark.parametrize(
    ("state", "error", "why"),
    [
        ("failed", "Train failed: dropout is 1.5", "Train failed: dropout is 1.5"),
        ("interrupted", "", "it was interrupted before"),
    ],
)
def test_a_run_that_ended_before_its_evaluation_says_why(
    tmp_path: Path, state: str, error: str, why: str
) -> None:
    run = evaluations.run(tmp_path, RUN, state=state, error=error)
    with pytest.raises(RunError, match=f"{RUN} has no evaluation: {why}$"):
        run.evaluation()


def test_outputs_are_found_by_step_and_by_name(tmp_path: Path) -> None:
    run = evaluations.run(tmp_path, RUN)
    assert run["Evaluate"]["metrics"] is run.artifact("metrics")
    with pytest.raises(UsageError, match="no step 'tain'; the steps are ingest, decode, "):
        run["tain"]
    with pytest.raises(RunError, match="has no outputs of decode"):
        run["decode"]
    with pytest.raises(RunError, match=r"no artifact 'modle'; it has .*metrics"):
        run.artifact("modle")
