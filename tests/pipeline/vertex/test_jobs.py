"""Jobs and schedules: listed, cancelled, paused, resumed and deleted."""

import json

import pytest

from tests.fakes.cloud import Cloud
from tests.fakes.wire import NUMBERED, PARENT
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.jobs import JOB, add_job


def test_the_newest_jobs_come_first_and_without_their_specs(cloud: Cloud, command: Command) -> None:
    cloud.pipelines.page_size = 2
    for number in range(5):
        add_job(cloud, "SUCCEEDED" if number else "FAILED", f"job-{number}")
    done = command("jobs", "--count", "4")
    assert done.code == 0, done.error
    rows = [line.split()[:2] for line in done.out.splitlines()[1:]]
    assert rows == [[f"job-{number}", "succeeded"] for number in (4, 3, 2, 1)]
    for call in cloud.wire.named("ListPipelineJobs"):
        assert "pipelineSpec" not in call.query["readMask"][0]


def test_the_jobs_are_listed_as_json(cloud: Cloud, command: Command) -> None:
    assert "no jobs (project my-project in europe-west4)" in command("jobs").out
    add_job(cloud, "FAILED", "job-0")
    add_job(cloud, "RUNNING", "job-1")
    newest, oldest = json.loads(command("jobs", "--json").out)
    assert (newest["job"], newest["state"], newest["ended"]) == ("job-1", "running", None)
    assert (oldest["job"], oldest["state"]) == ("job-0", "failed")
    assert oldest["ended"].endswith("+00:00")
    assert oldest["name"] == f"{NUMBERED}/pipelineJobs/job-0"
    assert "/runs/job-0?project=my-project" in oldest["page"]


@pytest.mark.parametrize(
    ("before", "said", "state"),
    [
        ("RUNNING", f"{JOB} is being cancelled", "cancelling"),
        ("FAILED", f"{JOB} had ended already: failed", "failed"),
    ],
)
def test_a_job_that_has_not_ended_is_cancelled(
    before: str, said: str, state: str, cloud: Cloud, command: Command
) -> None:
    add_job(cloud, before)
    done = command("cancel", f"{NUMBERED}/pipelineJobs/{JOB}")
    assert done.code == 0, done.error
    assert said in done.out
    assert len(cloud.wire.named("CancelPipelineJob")) == (before == "RUNNING")
    add_job(cloud, before)
    printed = json.loads(command("cancel", JOB, "--json").out)
    assert (printed["job"], printed["state"]) == (JOB, state)


@pytest.mark.parametrize("name", ["cancel", "watch"])
def test_a_job_that_does_not_exist(name: str, command: Command) -> None:
    done = command(name, "job-1")
    assert done.code == 1
    assert "there is no job job-1; `fashion-mnist jobs --project my-project" in done.error
    assert command(name, "Job 1").code == 2


class TestSchedules:
    @pytest.fixture(autouse=True)
    def scheduled(self, submit: Command) -> None:
        done = submit("--schedule", "0 6 * * 1", "--max-runs", "3")
        assert done.code == 0, done.error

    def test_they_are_listed(self, command: Command) -> None:
        header, row = command("schedules", "list").out.splitlines()
        assert header.split() == ["Schedule", "Name", "State", "When", "Next", "run", "Runs"]
        assert row.startswith("4711")
        for text in ("fashion-mnist-2", "active", "TZ=Etc/UTC 0 6 * * 1", "0 of 3"):
            assert text in row
        (one,) = json.loads(command("schedules", "list", "--json").out)
        assert (one["schedule"], one["state"], one["runs"], one["max_runs"]) == (
            *("4711", "active", 0, 3),
        )

    @pytest.mark.parametrize("by", ["number", "full name", "with id", "page", "display name"])
    def test_one_is_paused_resumed_and_deleted(
        self, by: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        console = "https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines"
        name = {
            "number": "4711",
            "full name": f"{NUMBERED}/schedules/4711",
            "with id": f"{PARENT}/schedules/4711",
            "page": f"{console}/schedules/4711?project=my-project",
            "display name": cloud.schedules.schedules["4711"].display_name,
        }[by]
        if by in ("full name", "with id", "page"):
            monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "other-project")
            monkeypatch.setenv("GOOGLE_CLOUD_REGION", "us-east1")
        for action, state in (("pause", "paused"), ("resume", "active")):
            assert command("schedules", action, name).out == f"schedule 4711 is {state}\n"
            assert cloud.schedules.schedules["4711"].state.name.lower() == state
        done = json.loads(command("schedules", "delete", name, "--json").out)
        assert done == {"schedule": "4711", "state": "deleted"}
        assert cloud.schedules.schedules == {}

    @pytest.mark.parametrize(
        ("name", "code", "fault"),
        [
            ("1", 1, "there is no schedule 1; `fashion-mnist schedules list"),
            ("weekly", 2, "there is no schedule 'weekly'"),
        ],
    )
    def test_one_that_does_not_exist(
        self, name: str, code: int, fault: str, command: Command
    ) -> None:
        done = command("schedules", "pause", name)
        assert done.code == code
        assert fault in done.error

    def test_two_of_one_name_are_not_confused(
        self, cloud: Cloud, command: Command, submit: Command
    ) -> None:
        submit("--schedule", "0 7 * * 1")
        for schedule in cloud.schedules.schedules.values():
            schedule.display_name = "weekly"
        done = command("schedules", "delete", "weekly")
        assert done.code == 1
        assert "several schedules are called weekly: give 4712, 4711" in done.error
        assert len(cloud.schedules.schedules) == 2
