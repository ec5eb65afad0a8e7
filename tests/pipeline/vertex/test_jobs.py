"""Listing and cancelling jobs; listing, pausing, resuming and deleting schedules."""

import datetime
import json

import pytest

from pipeline import compiler
from tests.fakes.cloud import Cloud
from tests.fakes.model_service import PARENT
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.jobs import JOB, add_job


def test_the_newest_jobs_come_first_and_without_their_specs(cloud: Cloud, command: Command) -> None:
    cloud.pipelines.page_size = 2
    for number in range(5):
        add_job(cloud, "SUCCEEDED" if number else "FAILED", f"job-{number}")
    told = command("jobs", "--count", "4")
    assert told.code == 0, told.error
    rows = [line.split()[:2] for line in told.out.splitlines()[1:]]
    assert rows == [[f"job-{number}", "succeeded"] for number in (4, 3, 2, 1)]
    for call in cloud.wire.named("ListPipelineJobs"):
        assert "pipelineSpec" not in call.query["readMask"][0]


def test_the_jobs_are_listed_as_json(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "FAILED", "job-0")
    add_job(cloud, "RUNNING", "job-1")
    newest, oldest = json.loads(command("jobs", "--json").out)
    assert (newest["job"], newest["state"], newest["ended"]) == ("job-1", "running", None)
    assert (oldest["job"], oldest["state"]) == ("job-0", "failed")
    assert datetime.datetime.fromisoformat(oldest["ended"]).tzinfo
    assert oldest["name"] == f"{PARENT}/pipelineJobs/job-0"
    assert "/runs/job-0?project=my-project" in oldest["page"]


def test_without_jobs_the_list_says_so(command: Command) -> None:
    assert "no jobs (project my-project in europe-west4)" in command("jobs").out


@pytest.mark.parametrize("reference", [JOB, f"{PARENT}/pipelineJobs/{JOB}"])
def test_a_job_is_cancelled(reference: str, cloud: Cloud, command: Command) -> None:
    add_job(cloud)
    told = command("cancel", reference)
    assert told.code == 0, told.error
    assert f"{JOB} is being cancelled" in told.out
    assert cloud.pipelines.jobs[JOB].state.name == "PIPELINE_STATE_CANCELLED"


def test_a_job_that_has_ended_is_left_alone(cloud: Cloud, command: Command) -> None:
    add_job(cloud, "FAILED")
    told = command("cancel", JOB)
    assert told.code == 0
    assert f"{JOB} had ended already: failed" in told.out
    assert cloud.wire.named("CancelPipelineJob") == []


@pytest.mark.parametrize(("before", "state"), [("RUNNING", "cancelling"), ("FAILED", "failed")])
def test_the_job_that_is_cancelled_is_told_as_json(
    before: str, state: str, cloud: Cloud, command: Command
) -> None:
    add_job(cloud, before)
    told = json.loads(command("cancel", JOB, "--json").out)
    assert (told["job"], told["state"]) == (JOB, state)


def test_a_job_that_is_not_there(cloud: Cloud, command: Command) -> None:
    for name in ("cancel", "watch"):
        told = command(name, "job-1")
        assert told.code == 1
        assert "there is no job job-1; `fashion-mnist jobs --project my-project" in told.error


class TestSchedules:
    @pytest.fixture(autouse=True)
    def scheduled(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compiler, "check", lambda: None)
        told = command(
            *("submit", "--bucket", "my-bucket", "--schedule", "0 6 * * 1", "--max-runs", "3")
        )
        assert told.code == 0, told.error

    def test_they_are_listed(self, command: Command) -> None:
        header, row = command("schedules", "list").out.splitlines()
        assert header.split() == ["Schedule", "Name", "State", "When", "Next", "run", "Runs"]
        assert row.startswith("4711")
        for text in ("fashion-mnist-2", "active", "TZ=Etc/UTC 0 6 * * 1", "0 of 3"):
            assert text in row

    def test_they_are_listed_as_json(self, command: Command) -> None:
        (one,) = json.loads(command("schedules", "list", "--json").out)
        assert (one["schedule"], one["state"], one["cron"]) == (
            "4711",
            "active",
            "TZ=Etc/UTC 0 6 * * 1",
        )
        assert (one["runs"], one["max_runs"]) == (0, 3)

    def test_one_is_paused_and_resumed(self, cloud: Cloud, command: Command) -> None:
        name = cloud.schedules.schedules["4711"].display_name
        assert command("schedules", "pause", name).out == "schedule 4711: paused\n"
        assert "paused" in command("schedules", "list").out
        assert command("schedules", "resume", "4711").out == "schedule 4711: goes on\n"
        assert "active" in command("schedules", "list").out

    def test_one_is_deleted(self, cloud: Cloud, command: Command) -> None:
        told = command("schedules", "delete", f"{PARENT}/schedules/4711")
        assert told.code == 0, told.error
        assert cloud.schedules.schedules == {}
        assert "no schedules (project my-project" in command("schedules", "list").out

    @pytest.mark.parametrize(
        ("action", "state"), [("pause", "paused"), ("resume", "active"), ("delete", "deleted")]
    )
    def test_what_was_changed_is_told_as_json(
        self, action: str, state: str, command: Command
    ) -> None:
        told = json.loads(command("schedules", action, "4711", "--json").out)
        assert told == {"schedule": "4711", "state": state}
        left = json.loads(command("schedules", "list", "--json").out)
        assert [one["state"] for one in left] == ([] if action == "delete" else [state])

    @pytest.mark.parametrize("action", ["pause", "resume", "delete"])
    def test_one_that_is_not_there(self, action: str, command: Command) -> None:
        told = command("schedules", action, "1")
        assert told.code == 1
        assert "there is no schedule 1; `fashion-mnist schedules list" in told.error
        told = command("schedules", action, "weekly")
        assert told.code == 2
        assert "there is no schedule 'weekly'" in told.error

    def test_two_of_one_name_are_told_apart(self, cloud: Cloud, command: Command) -> None:
        command("submit", "--bucket", "my-bucket", "--schedule", "0 7 * * 1")
        for schedule in cloud.schedules.schedules.values():
            schedule.display_name = "weekly"
        told = command("schedules", "delete", "weekly")
        assert told.code == 1
        assert "2 schedules are called weekly: give 4712, 4711" in told.error
        assert len(cloud.schedules.schedules) == 2
