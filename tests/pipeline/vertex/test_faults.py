"""What Google's services and the network do wrong, against every command that asks them."""

import pytest

from pipeline import compiler
from pipeline.vertex import connection, jobs, refusals, schedules, submission, watching
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
    "404": (Fault(404), "there is no"),
    "409": (Fault(409), "something of that name exists already; run again"),
    "429": (Fault(429), "a quota is used up; run again later, or ask for more at https://"),
    "500": (Fault(500), "Vertex AI failed; run again in some minutes"),
    "503": (Fault(503), "Vertex AI failed; run again in some minutes"),
    "reset": (Fault(), "the connection broke; look at the network and run again"),
    "stall": (Fault(stall=30.0), "gave no answer within"),
}
COMMANDS = {
    "submit": ("CreatePipelineJob", ("submit", "--bucket", "my-bucket")),
    "schedule": (
        "CreateSchedule",
        ("submit", "--bucket", "my-bucket", "--schedule", "0 6 * * 1"),
    ),
    "watch": ("GetPipelineJob", ("watch", JOB)),
    "jobs": ("ListPipelineJobs", ("jobs",)),
    "cancel": ("CancelPipelineJob", ("cancel", JOB)),
    "schedules list": ("ListSchedules", ("schedules", "list")),
    "schedules pause": ("PauseSchedule", ("schedules", "pause", "4711")),
    "schedules delete": ("DeleteSchedule", ("schedules", "delete", "4711")),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for nothing longer than a test can."""
    monkeypatch.setattr(compiler, "check", lambda: None)
    monkeypatch.setattr(submission, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(connection, "AGAIN_SECONDS", 0.3)


@pytest.fixture(autouse=True)
def no_answer_is_waited_for(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the service stalls; elsewhere a slow machine has all the time that it needs."""
    parameters = getattr(request.node, "callspec", None)
    if parameters and "stall" in parameters.params.values():
        for module in (refusals, submission, watching, jobs, schedules):
            monkeypatch.setattr(module, "SECONDS", 1.0)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_that_says_what_to_do(
    name: str, fault: str, cloud: Cloud, command: Command
) -> None:
    method, arguments = COMMANDS[name]
    add_job(cloud)
    what, expected = FAULTS[fault]
    cloud.wire.fail(method, what, times=30)
    told = command(*arguments)
    assert told.code == 1, told.out
    (line,) = told.error.strip().splitlines()
    assert line.startswith("error: could not ")
    assert expected in line
    assert "project my-project in europe-west4" in line


@pytest.mark.parametrize("name", ["watch", "jobs", "cancel", "schedules list"])
@pytest.mark.parametrize("fault", ["429", "500", "503", "reset", "stall"])
def test_what_is_only_read_is_asked_for_again(
    name: str, fault: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "AGAIN_SECONDS", 30)
    method, arguments = COMMANDS[name]
    add_job(cloud, "SUCCEEDED" if name == "watch" else "RUNNING")
    cloud.wire.fail(method, FAULTS[fault][0])
    told = command(*arguments)
    assert told.code == 0, told.error
    assert len(cloud.wire.named(method)) == 2


@pytest.mark.parametrize("fault", ["429", "500", "503", "reset", "stall"])
@pytest.mark.parametrize("after", [False, True], ids=["lost request", "lost answer"])
def test_a_job_is_created_once_whatever_is_lost(
    fault: str, after: bool, cloud: Cloud, command: Command
) -> None:
    what = FAULTS[fault][0]
    cloud.wire.fail(
        "CreatePipelineJob", Fault(what.status, what.reason, what.stall, after, what.message)
    )
    told = command("submit", "--bucket", "my-bucket")
    assert told.code == 0, told.error
    assert len(cloud.pipelines.created) == 1
    assert len(cloud.wire.named("CreatePipelineJob")) > 1


def test_a_schedule_is_asked_for_once_and_the_error_says_to_look(
    cloud: Cloud, command: Command
) -> None:
    cloud.wire.fail("CreateSchedule", Fault(after=True))
    told = command(*COMMANDS["schedule"][1])
    assert told.code == 1
    assert "`fashion-mnist schedules list --project my-project --region europe-west4`" in told.error
    assert len(cloud.schedules.created) == 1
