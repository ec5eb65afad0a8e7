"""Following a job: its table, its end, and the network in between."""

import datetime
import json
import time
from typing import Any

import pytest
from google.oauth2.credentials import Credentials

from pipeline.cli import watchers
from pipeline.steps import STEPS
from pipeline.vertex import follow, target
from tests.fakes.cloud import Cloud
from tests.fakes.wire import PARENT, Fault
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.jobs import JOB, add_job, ended, failing, outputs, step, together

WATCH = ("watch", JOB, "--every", "0.05")
RAW = outputs(
    raw={
        "uri": "gs://b/raw",
        "metadata": {"examples": {"train": 60000, "test": 10000}, "verified": True},
    }
)
EVALUATED = outputs(
    metrics={"metadata": {"accuracy": 0.9342}},
    evaluation={"metadata": {"reason": "Passed: accuracy 0.9342."}},
    report={"uri": "gs://b/fashion-mnist/pipeline-root/1/report"},
)
UPLOADED = outputs(model={"metadata": {"resourceName": f"{PARENT}/models/77@3"}})


def test_each_step_is_shown_with_its_figure(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "PENDING")
    cloud.pipelines.script = [
        step("root-of-the-dag", "RUNNING"),
        step("ingest", "RUNNING"),
        together(
            step("ingest", "SUCCEEDED", outputs=RAW),
            step("decode", "SKIPPED"),
            step("find-champion", "NOT_TRIGGERED"),
            step("train", "RUNNING"),
        ),
        together(
            step("train", "SUCCEEDED"),
            step("evaluate", "SUCCEEDED", outputs=EVALUATED),
            step("model-upload", "SUCCEEDED", outputs=UPLOADED),
            ended("SUCCEEDED"),
        ),
    ]
    done = command(*WATCH)
    assert done.code == 0, done.error
    lines = [line.split(" in ")[0] for line in done.out.splitlines()]
    steps = lines[: lines.index("")]
    assert steps == [
        "Ingest: started",
        "Ingest: done",
        "Decode: from the cache",
        "Train: started",
        "Train: done",
        "Evaluate: done",
        "Upload: started",
        "Upload: done",
    ]
    assert "60,000 + 10,000 images, verified" in done.out
    assert "Accuracy   0.9342 on the test set" in done.out
    assert "Verdict    Passed: accuracy 0.9342." in done.out
    assert f"Model      {PARENT}/models/77@3" in done.out
    assert "/models/77/versions/3?project=my-project" in done.out
    address = "https://storage.cloud.google.com/b/fashion-mnist/pipeline-root/1/report"
    assert f"Report     {address}" in done.out


def test_json_is_all_that_standard_output_gets(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "PENDING")
    cloud.pipelines.script = [
        step("ingest", "RUNNING"),
        together(
            step("ingest", "SUCCEEDED", outputs=RAW),
            step("evaluate", "SUCCEEDED", outputs=EVALUATED),
            step("model-upload", "SUCCEEDED", outputs=UPLOADED),
            ended("SUCCEEDED"),
        ),
    ]
    done = command(*WATCH, "--json")
    assert done.code == 0, done.error
    printed = json.loads(done.out)
    assert (printed["job"], printed["state"]) == (JOB, "succeeded")
    assert printed["metrics"]["accuracy"] == 0.9342
    assert printed["verdict"]["reason"] == "Passed: accuracy 0.9342."
    assert printed["model"] == f"{PARENT}/models/77@3"
    steps = {one["name"]: one for one in printed["steps"]}
    assert (steps["ingest"]["state"], steps["train"]["state"]) == ("done", "skipped")
    assert steps["ingest"]["figure"] == "60,000 + 10,000 images, verified"
    assert "Ingest: started" in done.error


def test_json_describes_a_failed_job_too(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    cloud.pipelines.script = [together(failing("train", "out of memory"), ended("FAILED"))]
    done = command(*WATCH, "--json")
    assert done.code == 1
    printed = json.loads(done.out)
    assert printed["state"] == "failed"
    assert printed["errors"]["train"].startswith("out of memory")
    assert "error: " in done.error


def test_a_figure_that_is_not_there_yet_stops_nothing(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    bare = outputs(raw={"uri": "gs://b/raw"})
    cloud.pipelines.script = [
        together(step("ingest", "SUCCEEDED", outputs=bare), ended("SUCCEEDED"))
    ]
    done = command(*WATCH)
    assert done.code == 0, done.error
    assert "Ingest: done in" in done.out
    assert "Model      not uploaded" in done.out


def test_no_upload_is_exit_code_3_where_one_is_required(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "SUCCEEDED")
    assert command(*WATCH).code == 0
    assert command(*WATCH, "--require-upload").code == 3


def test_a_failed_task_shows_its_own_error_and_its_log(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    dag = step("root-of-the-dag", "FAILED", task_id=100)
    cloud.pipelines.script = [
        together(dag, step("train", "RUNNING", parent_task_id=100)),
        failing("train", "The replica exited with status 1."),
        ended("FAILED", "The DAG failed because some tasks failed."),
    ]
    done = command(*WATCH)
    assert done.code == 1
    assert "  train | The replica exited with status 1." in done.out
    assert f"{JOB} failed" in done.error
    assert "train: The replica exited with status 1." in done.error
    assert "root-of-the-dag" not in done.error
    link = "https://console.cloud.google.com/logs/query;query=resource.labels.job_id%3D%2299%22"
    assert f"log: {link}?project=my-project" in done.error


def test_a_job_that_fails_before_its_first_task_shows_its_own_error(
    cloud: Cloud, command: Command
) -> None:
    add_job(cloud)
    cloud.pipelines.script = [ended("FAILED", "Service account x does not exist.")]
    done = command(*WATCH)
    assert done.code == 1
    assert "Service account x does not exist." in done.error


def test_a_job_that_is_cancelled(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    cloud.pipelines.script = [
        step("train", "RUNNING"),
        together(step("train", "CANCELLED"), ended("CANCELLED")),
    ]
    done = command(*WATCH)
    assert done.code == 1
    assert "Train: cancelled in" in done.out
    assert f"{JOB} was cancelled; submit it again" in done.error


def test_a_job_that_is_paused_is_not_waited_for(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    cloud.pipelines.script = [step("train", "RUNNING"), ended("PAUSED")]
    done = command(*WATCH)
    assert done.code == 1
    assert f"{JOB} is paused; resume it on its page" in done.error
    assert f"fashion-mnist watch {JOB} --project my-project" in done.error


def test_a_repeated_system_error_is_shown_once(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    error = {"state": "RUNNING", "error": {"code": 8, "message": "No machine was free."}}
    again = step("train", "RUNNING", pipeline_task_status=[error])
    cloud.pipelines.script = [again, again, ended("SUCCEEDED")]
    done = command(*WATCH)
    assert done.out.count("  train | trying again: No machine was free.") == 1


@pytest.mark.parametrize("fault", [Fault(), Fault(429), Fault(500), Fault(503)])
def test_the_network_may_go_away_and_come_back(
    fault: Fault, cloud: Cloud, command: Command
) -> None:
    add_job(cloud)
    cloud.pipelines.script = [
        lambda _job: cloud.wire.fail("GetPipelineJob", fault, times=2),
        ended("SUCCEEDED"),
    ]
    done = command(*WATCH)
    assert done.code == 0, done.error
    assert done.out.count("trying again, and the job is still running") == 1
    assert "the service answers again" in done.out


def test_a_stall_is_not_waited_for(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "SECONDS", 1.0)
    add_job(cloud)
    cloud.pipelines.script = [
        lambda _job: cloud.wire.fail("GetPipelineJob", Fault(stall=60)),
        ended("SUCCEEDED"),
    ]
    began = time.monotonic()
    assert command(*WATCH).code == 0
    assert time.monotonic() - began < 30


def test_patience_has_an_end_and_the_job_is_still_running(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "PATIENCE", 0.3)
    add_job(cloud)
    cloud.pipelines.script = [lambda _job: cloud.wire.fail("GetPipelineJob", Fault(503), times=99)]
    done = command(*WATCH)
    assert done.code == 1
    assert "the job is still running" in done.error
    assert f"`fashion-mnist watch {JOB} --project my-project --region europe-west4`" in done.error


@pytest.mark.parametrize(
    ("status", "expected"), [(403, "you lack a role"), (404, f"there is no job {JOB}")]
)
def test_a_refusal_while_watching_ends_it(
    status: int, expected: str, cloud: Cloud, command: Command
) -> None:
    add_job(cloud)
    cloud.pipelines.script = [
        lambda _job: cloud.wire.fail("GetPipelineJob", Fault(status), times=9)
    ]
    done = command(*WATCH)
    assert done.code == 1
    assert expected in done.error


def test_a_token_that_runs_out_is_replaced(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(_request: Any, **_options: Any) -> tuple[str, Any]:
        cloud.tokens.issue()
        return cloud.tokens.issued[-1], datetime.datetime(2100, 1, 1)

    login = Credentials(token=None, refresh_handler=another)
    monkeypatch.setattr(target, "default_credentials", lambda: login)
    add_job(cloud)
    cloud.pipelines.script = [lambda _job: cloud.tokens.expire(), ended("SUCCEEDED")]
    done = command(*WATCH)
    assert done.code == 0, done.error
    assert cloud.tokens.issued == ["token-1", "token-2"]


def test_the_rows_are_the_steps_of_the_pipeline(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[list[str]] = []
    plain = watchers.watch

    def watch(tasks: Any, **more: Any) -> Any:
        shown.append([task.name for task in tasks])
        return plain(tasks, **more)

    monkeypatch.setattr(watchers, "watch", watch)
    add_job(cloud, "SUCCEEDED")
    command(*WATCH)
    (rows,) = shown
    assert sorted(rows) == sorted(step.name for step in STEPS)
