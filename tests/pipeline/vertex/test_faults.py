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
    "500": (Fault(500), "Vertex AI failed; run again in some minutes"),
    "503": (Fault(503), "Vertex AI failed; run again in some minutes"),
    "reset": (Fault(), "the connection broke; look at the network and run again"),
    "stall": (Fault(stall=30.0), "gave no answer within"),
}
SUBMIT = ("submit", "--bucket", "my-bucket")
COMMANDS = {
    "submit": ("CreatePipelineJob", SUBMIT),
    "schedule": ("CreateSchedule", (*SUBMIT, "--schedule", "0 6 * * 1")),
    "watch": ("GetPipelineJob", ("watch", JOB)),
    "jobs": ("ListPipelineJobs", ("jobs",)),
    "cancel": ("CancelPipelineJob", ("cancel", JOB)),
    "schedules list": ("ListSchedules", ("schedules", "list")),
    "schedules pause": ("PauseSchedule", ("schedules", "pause", "4711")),
    "schedules delete": ("DeleteSchedule", ("schedules", "delete", "4711")),
}
CASES = [
    *(("jobs", fault) for fault in FAULTS),
    *((name, fault) for name in COMMANDS if name != "jobs" for fault in ("404", "reset")),
]
"""Each fault once, and each command with two of them."""
PASSING = ("429", "500", "503", "reset", "stall")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 0.3)


@pytest.fixture(autouse=True)
def no_answer_is_waited_for(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the service stalls: elsewhere a slow machine gets all the time it needs."""
    parameters = getattr(request.node, "callspec", None)
    if parameters and "stall" in parameters.params.values():
        monkeypatch.setattr(target, "SECONDS", 1.0)


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_fault_is_one_sentence_that_says_what_to_do(
    name: str, fault: str, cloud: Cloud, command: Command
) -> None:
    method, arguments = COMMANDS[name]
    add_job(cloud)
    what, expected = FAULTS[fault]
    cloud.wire.fail(method, what, times=30)
    done = command(*arguments)
    assert done.code == 1, done.out
    (line,) = done.error.strip().splitlines()
    assert line.startswith("error: could not ")
    assert any(text in line for text in expected.split("|"))
    assert "project my-project in europe-west4" in line


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *(("jobs", fault) for fault in PASSING),
        *(("watch", "503"), ("cancel", "reset"), ("schedules list", "429")),
    ],
)
def test_reading_is_repeated(
    name: str, fault: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    method, arguments = COMMANDS[name]
    add_job(cloud, "SUCCEEDED" if name == "watch" else "RUNNING")
    cloud.wire.fail(method, FAULTS[fault][0])
    done = command(*arguments)
    assert done.code == 0, done.error
    assert len(cloud.wire.named(method)) == 2


@pytest.mark.parametrize("fault", ["503", "reset", "stall"])
@pytest.mark.parametrize("after", [False, True], ids=["lost request", "lost answer"])
def test_a_job_is_created_once_whatever_is_lost(
    fault: str, after: bool, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    what = FAULTS[fault][0]
    cloud.wire.fail(
        "CreatePipelineJob", Fault(what.status, what.reason, what.stall, after, what.message)
    )
    done = command(*SUBMIT)
    assert done.code == 0, done.error
    assert len(cloud.pipelines.created) == 1
    assert len(cloud.wire.named("CreatePipelineJob")) > 1


def test_a_schedule_is_requested_once_and_the_error_says_where_to_look(
    cloud: Cloud, command: Command
) -> None:
    cloud.wire.fail("CreateSchedule", Fault(after=True))
    done = command(*COMMANDS["schedule"][1])
    assert done.code == 1
    assert "`fashion-mnist schedules list --project my-project --region europe-west4`" in done.error
    assert len(cloud.schedules.created) == 1
