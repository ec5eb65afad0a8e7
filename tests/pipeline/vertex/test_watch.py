"""Following a job: its table, its end, and the network in between."""

import json
import os
import signal
from typing import Any

import google.auth.exceptions
import pytest
from google.oauth2.credentials import Credentials

from pipeline.runs import outages
from pipeline.vertex import target
from tests.fakes.cloud import Cloud
from tests.fakes.wire import PARENT, Fault
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.jobs import JOB, add_job, ended, failing, outputs, step, together

WATCH = ("watch", JOB, "--every", "0.05")
AGAIN = f"`fashion-mnist watch {JOB} --project my-project --region europe-west4`"
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
GOOD = (
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
)


def test_each_step_is_shown_with_its_figure(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "PENDING")
    cloud.pipelines.script = list(GOOD)
    done = command(*WATCH)
    assert done.code == 0, done.error
    lines = [line.split(" in ")[0] for line in done.out.splitlines()]
    assert lines[: lines.index("")] == [
        f"{JOB} is pending: its steps have not started yet",
        "Ingest: started",
        "Ingest: done",
        "Decode: from the cache",
        "Train: started",
        "Train: done",
        "Evaluate: done",
        "Upload: started",
        "Upload: done",
    ]
    for text in (
        "60,000 + 10,000 images, verified",
        "Accuracy   0.9342 on the test set",
        "Verdict    Passed: accuracy 0.9342.",
        f"Model      {PARENT}/models/77@3",
        "/models/77/versions/3?project=my-project",
        "Report     https://storage.cloud.google.com/b/fashion-mnist/pipeline-root/1/report",
    ):
        assert text in done.out


def test_json_is_all_that_standard_output_gets(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "PENDING")
    cloud.pipelines.script = list(GOOD)
    done = command(*WATCH, "--json")
    assert done.code == 0, done.error
    printed = json.loads(done.out)
    assert (printed["job"], printed["state"]) == (JOB, "succeeded")
    assert printed["metrics"]["accuracy"] == 0.9342
    assert printed["verdict"]["reason"] == "Passed: accuracy 0.9342."
    assert printed["model"] == f"{PARENT}/models/77@3"
    steps = {one["name"]: one for one in printed["steps"]}
    assert (steps["ingest"]["state"], steps["find_champion"]["state"]) == ("done", "skipped")
    assert steps["ingest"]["figure"] == "60,000 + 10,000 images, verified"
    assert "Ingest: started" in done.error


def test_a_submitted_job_is_followed_on_request(cloud: Cloud, submit: Command) -> None:
    cloud.pipelines.script = list(GOOD)
    done = submit("--wait", "--require-upload", "--every", "0.05")
    assert done.code == 0, done.error
    assert "Train: done" in done.out
    assert f"Model      {PARENT}/models/77@3" in done.out


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
    printed = json.loads(command(*WATCH, "--json").out)
    assert printed["state"] == "failed"
    assert printed["errors"]["train"].startswith("The replica exited")


def test_a_task_without_memory_says_what_to_do(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    reason = "The replica workerpool0-0 exited with a non-zero status of 137."
    cloud.pipelines.script = [failing("train", reason), ended("FAILED")]
    done = command(*WATCH)
    assert f"train: {reason}\nthe system killed it, most likely because memory" in done.error
    assert "--machine-type n1-highmem-8" in done.error


@pytest.mark.parametrize(
    ("state", "message", "said"),
    [
        ("FAILED", "Service account x does not exist.", "Service account x does not exist."),
        ("CANCELLED", "", f"{JOB} was cancelled; submit it again"),
        ("PAUSED", "", f"{JOB} is paused; resume it on its page"),
    ],
)
def test_a_job_that_does_not_succeed_is_exit_code_1(
    state: str, message: str, said: str, cloud: Cloud, command: Command
) -> None:
    add_job(cloud)
    cloud.pipelines.script = [ended(state, message)]
    done = command(*WATCH)
    assert done.code == 1
    assert said in done.error


def test_a_repeated_system_error_is_shown_once(cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    error = {"state": "RUNNING", "error": {"code": 8, "message": "No machine was free."}}
    again = step("train", "RUNNING", pipeline_task_status=[error])
    cloud.pipelines.script = [again, again, ended("SUCCEEDED")]
    done = command(*WATCH)
    assert done.out.count("  train | trying again: No machine was free.") == 1


@pytest.mark.parametrize("fault", [Fault(), Fault(503), Fault(stall=60)])
def test_the_network_may_go_away_and_come_back(
    fault: Fault, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.stall:
        monkeypatch.setattr(target, "SECONDS", 1.0)
    add_job(cloud)
    cloud.pipelines.script = [
        lambda _job: cloud.wire.fail("GetPipelineJob", fault, times=2),
        ended("SUCCEEDED"),
    ]
    done = command(*WATCH)
    assert done.code == 0, done.error
    assert done.out.count("trying again, and the job is still running") == 1
    assert "the service answers again" in done.out


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, f"sign in with `gcloud auth application-default login`|still running: {AGAIN}"),
        (403, f"it was refused|still running: {AGAIN}"),
        (404, f"there is no job {JOB}"),
        (503, f"gave up after 0 s, and the job is still running: {AGAIN}"),
    ],
)
def test_a_refusal_ends_the_watching_and_so_does_the_end_of_patience(
    status: int, expected: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "PATIENCE", 0.3)
    add_job(cloud)
    cloud.pipelines.script = [
        lambda _job: cloud.wire.fail("GetPipelineJob", Fault(status), times=99)
    ]
    done = command(*WATCH)
    assert done.code == 1
    assert all(text in done.error for text in expected.split("|"))
    assert ("still running" in done.error) == (status != 404)


def test_a_login_that_ends_while_watching_leaves_the_job_running(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Expiring(Credentials):  # type: ignore[misc]
        def refresh(self, request: object) -> None:
            raise google.auth.exceptions.RefreshError("invalid_grant: expired")

    login = Expiring(token="mine", quota_project_id="my-project")
    monkeypatch.setattr(target, "default_credentials", lambda: login)
    add_job(cloud)
    cloud.pipelines.script = [lambda _job: setattr(login, "token", None)]
    done = command(*WATCH)
    assert done.code == 1
    assert "(invalid_grant: expired)" in done.error
    assert f"; the job is still running: {AGAIN} follows it again" in done.error


def test_ctrl_c_leaves_the_job_running(cloud: Cloud, command: Command) -> None:
    def interrupt(_job: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    add_job(cloud)
    cloud.pipelines.script = [step("ingest", "RUNNING"), interrupt]
    done = command(*WATCH)
    assert done.code == 130
    assert "Ingest: started" in done.out
    assert f"{JOB} is still running: {AGAIN}" in done.error
    assert cloud.wire.named("CancelPipelineJob") == []
