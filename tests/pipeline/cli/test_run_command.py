"""The command that runs the pipeline here, without the run."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StepFailed, UsageError
from pipeline.runs.record import Artifact, Run, Task
from tests import foreign
from tests.idx_files import write_idx_set
from tests.pipeline.cli.conftest import Call

RUN = "fashion-mnist-20261124-234143-7fde"
NAME = "projects/local/locations/local/models/fashion-mnist@3"


def result(*, version: bool = True, state: str = "done") -> Run:
    run = Run(RUN, Path("runs", RUN), seconds=12, state=state)
    run.parameters = {"model_name": "fashion-mnist"}
    evaluation = {
        "metrics": Artifact("", {"accuracy": 0.9384}),
        "evaluation": Artifact("", {"reason": "Passed: it is good."}),
        "Output": version,
    }
    uploaded = {"model": Artifact("", {"resourceName": NAME})} if version else {}
    run.steps = {
        "evaluate": Task("evaluate", "Evaluate", "done", 1, evaluation),
        "upload": Task("upload", "Upload", "done" if version else "skipped", 1, uploaded),
    }
    return run


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of the runs that were started; each ends at once with ``result``."""
    monkeypatch.setattr("pipeline.compiler.check", lambda: None)
    return end_with(monkeypatch, result)


def end_with(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Run]) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = []

    def run(_spec: Any, arguments: dict[str, Any], _root: Any, _watch: Any, options: Any) -> Run:
        runs.append({**arguments, "use_cache": options.use_cache})
        run = make()
        options.ended(run)
        if run.state == "failed":
            raise StepFailed("train", "train failed")
        return run

    monkeypatch.setattr("pipeline.local.run.run", run)
    return runs


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-p", "epoch=3"], "did you mean epochs?"),
        (["-p", "epochs=three"], "-p epochs=three: epochs takes a whole number"),
        (["--source", "/no/where"], "source=/no/where: there is no such directory"),
        (["-p", "min_accuracy=90"], "min_accuracy is 90.0, expected a number from 0 to 1"),
        (["-p", "bucket_uri=gs://own"], "has only its own bucket, gs://fashion-mnist-local"),
        (["-p", "model_name=.hidden"], "'.hidden' cannot name a model"),
        (["--replicas", "2", "-p", "batch_size=255"], "the machines need a multiple of 2"),
        (["--source", "/no\nwhere"], r"source=/no\nwhere: there is no such directory"),
        (["--source", os.fsdecode(b"/h\xf6se")], r"source=/h\xf6se is not UTF-8"),
        (["--source", __file__], "is a file; give the directory of the four files"),
        (["--spec", "no.yaml"], "no.yaml: there is no such file"),
        (["--spec", __file__, "--replicas", "2"], "leave out --spec or --replicas"),
    ],
)
def test_wrong_use_is_one_line_before_anything_starts(
    arguments: list[str], expected: str, call: Call, started: list[dict[str, Any]]
) -> None:
    done = call("run", *arguments)
    assert done.exit_code == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr
    assert started == []


def test_the_run_gets_all_arguments_typed_and_complete(
    call: Call, started: list[dict[str, Any]]
) -> None:
    given = ("--preset", "fast", "-p", "epochs=3", "-p", "min_accuracy=0.5", "--source", ".")
    assert call("run", *given, "--no-cache").exit_code == 0
    (arguments,) = started
    assert arguments["hyperparameters"]["epochs"] == 3
    assert arguments["min_accuracy"] == 0.5
    assert arguments["source"] == str(Path.cwd())
    assert arguments["bucket_uri"] == "gs://fashion-mnist-local"
    assert arguments["use_cache"] is False


def test_an_alias_that_no_version_has_is_refused_before_anything_starts(
    call: Call, started: list[dict[str, Any]], tmp_path: Path
) -> None:
    where = ("--root", str(tmp_path), "-p", "champion_alias=best")
    assert call("run", *where).exit_code == 0, "without a model there is no champion"
    version = tmp_path / "registry" / "fashion-mnist" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    done = call("run", *where)
    assert done.exit_code == 2
    assert "has no version or alias 'best'; versions there: 1" in done.stderr
    assert len(started) == 1


def test_another_pipeline_gets_what_it_declares_and_nothing_else(
    call: Call, started: list[dict[str, Any]], tmp_path: Path
) -> None:
    spec = str(foreign.write(tmp_path))
    done = call("run", "--spec", spec, "--source", "a lake")
    assert done.exit_code == 0, done.stderr
    assert started == [{**foreign.ARGUMENTS, "source": "a lake", "use_cache": True}]


def test_the_result_and_the_next_steps_are_shown(call: Call, started: list[dict[str, Any]]) -> None:
    done = call("run", "--root", "other place")
    assert done.exit_code == 0, done.output
    assert f"Run        {RUN} in 12 s" in done.stdout
    assert "Model      fashion-mnist version 3: other place/registry/fashion-mnist/3" in done.stdout
    assert "fashion-mnist predict --root 'other place' PHOTO" in done.stderr


@pytest.mark.parametrize(("source", "file"), [("own", "own/dataset.json"), ("http://a/b", "FILE")])
def test_after_a_run_on_other_data_the_next_steps_are_for_them(
    source: str,
    file: str,
    call: Call,
    started: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_idx_set(Path("own"), 2, 1)
    run = result()
    run.parameters = {"model_name": "shoes", "source": source, "dataset": {"name": "shoes"}}
    end_with(monkeypatch, lambda: run)
    said = call("run").stderr
    assert "fashion-mnist predict --model shoes PHOTO" in said
    assert f"submit --bucket BUCKET --source gs://BUCKET/DATA --dataset {file}" in said


def test_a_refused_model_is_exit_code_3_only_if_an_upload_is_required(
    call: Call, started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    end_with(monkeypatch, lambda: result(version=False))
    done = call("run")
    assert done.exit_code == 0
    assert "Model      not uploaded" in done.stdout
    assert f"predict --run {RUN[-4:]} PHOTO" in done.stderr
    assert call("run", "--require-upload").exit_code == 3


@pytest.mark.parametrize("state", ["done", "failed"])
def test_json_is_the_record_of_a_run_that_ended_well_or_not(
    state: str, call: Call, started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    end_with(monkeypatch, lambda: result(state=state))
    done = call("run", "--json")
    assert done.exit_code == (0 if state == "done" else 1)
    record = json.loads(done.stdout)
    assert (record["run"], record["state"]) == (RUN, state)
    assert done.stderr == ("" if state == "done" else "error: train failed\n")


def test_stale_compiled_files_are_wrong_use_and_nothing_starts(
    call: Call, started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check() -> None:
        raise UsageError("compiled/ is stale: run `make compile`")

    monkeypatch.setattr("pipeline.compiler.check", check)
    done = call("run")
    assert (done.exit_code, done.stderr) == (2, "error: compiled/ is stale: run `make compile`\n")
    assert started == []
