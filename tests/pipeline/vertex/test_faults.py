"""What Google's services and the network do wrong, against every command that asks them."""

import pytest

from pipeline.vertex import target
from tests.fakes.cloud import Cloud
from tests.fakes.wire import Fault
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.jobs import JOB, add_job

FAULTS = {
    "401": (Fault(401), "no valid credentials; sign in with `gcloud auth application-default"),
    "403": (Fault(403), "you lack a role; run `gcloud projects add-iam-policy-binding my-project"),
    "403 off": (
        Fault(403, "SERVICE_DISABLED"),
        "the API is off; run `gcloud services enable aiplatform.googleapis.com",
    ),
    "403 actAs": (
        Fault(403, message="lacks iam.serviceAccounts.actAs"),
        "you may not act as the service account",
    ),
    "404": (Fault(404), "it does not exist|there is no"),
    "409": (Fault(409), "something of that name exists already; run again"),
    "429": (Fault(429), "a quota is used up; run again later, or ask for more at https://"),
    "503": (Fault(503), "Vertex AI failed; run again in some minutes"),
    "reset": (Fault(), "the connection broke; look at the network and run again"),
    "stall": (Fault(stall=30.0), "gave no answer within"),
}
SUBMIT = ("submit", "--bucket", "my-bucket")
SCHEDULE = (*SUBMIT, "--schedule", "0 6 * * 1")
COMMANDS = {
    "CreatePipelineJob": SUBMIT,
    "CreateSchedule": SCHEDULE,
    "GetPipelineJob": ("watch", JOB),
    "ListPipelineJobs": ("jobs",),
    "CancelPipelineJob": ("cancel", JOB),
    "ListSchedules": ("schedules", "list"),
    "PauseSchedule": ("schedules", "pause", "4711"),
    "DeleteSchedule": ("schedules", "delete", "4711"),
}
CASES = [
    *(("ListPipelineJobs", fault) for fault in FAULTS),
    *((method, "404") for method in COMMANDS if method != "ListPipelineJobs"),
]
"""Each fault once, and each command with one of them."""


@pytest.fixture(autouse=True)
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than where the service stalls, a slow machine gets all the time it needs."""
    monkeypatch.setattr(target, "RETRY_SECONDS", 0.3)
    if "stall" in request.node.name:
        monkeypatch.setattr(target, "SECONDS", 1.0)


@pytest.mark.parametrize(("method", "fault"), CASES)
def test_a_fault_is_one_sentence_that_says_what_to_do(
    method: str, fault: str, cloud: Cloud, command: Command
) -> None:
    add_job(cloud)
    what, expected = FAULTS[fault]
    cloud.wire.fail(method, what, times=30)
    done = command(*COMMANDS[method])
    assert done.code == 1, done.out
    (line,) = done.error.strip().splitlines()
    assert line.startswith("error: could not ")
    assert any(text in line for text in expected.split("|"))
    assert "project my-project in europe-west4" in line


@pytest.mark.parametrize("fault", ["429", "503", "reset", "stall"])
def test_reading_is_repeated(
    fault: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    cloud.wire.fail("ListPipelineJobs", FAULTS[fault][0])
    done = command("jobs")
    assert done.code == 0, done.error
    assert len(cloud.wire.named("ListPipelineJobs")) == 2


@pytest.mark.parametrize("after", [False, True], ids=["lost request", "lost answer"])
def test_a_job_is_created_once_whatever_is_lost(
    after: bool, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    cloud.wire.fail("CreatePipelineJob", Fault(after=after))
    done = command(*SUBMIT)
    assert done.code == 0, done.error
    assert len(cloud.pipelines.created) == 1
    assert len(cloud.wire.named("CreatePipelineJob")) == 2


def test_a_schedule_is_requested_once_and_the_error_says_where_to_look(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a repeated request, if there were one.
    monkeypatch.setattr(target, "RETRY_SECONDS", 5.0)
    cloud.wire.fail("CreateSchedule", Fault(after=True))
    done = command(*SCHEDULE)
    assert done.code == 1
    assert "`fashion-mnist schedules list --project my-project --region europe-west4`" in done.error
    assert len(cloud.schedules.created) == 1
