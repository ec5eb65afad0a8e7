"""What Google's services and the network do wrong, against every command that asks them."""

from pathlib import Path
from typing import ClassVar

import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from pipeline.vertex import target
from tests.fakes import refusals
from tests.fakes.cloud import Cloud
from tests.fakes.refusals import UID
from tests.fakes.sign_in import KEY_DELETED, POOL, ROBOT, serve_sign_in
from tests.fakes.wire import Fault
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.jobs import JOB, add_job

DEFAULT_CREDENTIALS = target.default_credentials
FAULTS = {
    "401": (Fault(401), "no valid credentials; sign in with `gcloud auth application-default"),
    "403": (refusals.NO_REASON, "it was refused (The caller does not have permission)"),
    "404": (Fault(404), "it does not exist|there is no"),
    "409": (Fault(409), "something of that name exists already; run again"),
    "429": (Fault(429), "a quota is used up; run again later, or ask for more at https://"),
    "503": (Fault(503), "Vertex AI failed; run again in some minutes"),
    "reset": (Fault(), "the connection broke; look at the network and run again"),
    "stall": (Fault(stall=30.0), "gave no answer within"),
    "off": (
        refusals.SERVICE_DISABLED,
        "`gcloud services enable aiplatform.googleapis.com --project 720070608347`",
    ),
    "no quota project": (
        refusals.USER_PROJECT_DENIED,
        "`gcloud projects add-iam-policy-binding quota-1 --member=user:YOU "
        "--role=roles/serviceusage.serviceUsageConsumer`",
    ),
    "no project": (refusals.CONSUMER_INVALID, "there is no project my-project: give an id that"),
    "no billing": (refusals.BILLING_DISABLED, "to an open billing account at https://"),
    "no permission": (
        refusals.IAM_PERMISSION_DENIED,
        "you lack a role; run `gcloud projects add-iam-policy-binding my-project "
        "--member=user:YOU --role=roles/aiplatform.user`",
    ),
    "no such role": (refusals.UNKNOWN_PERMISSION, "it was refused (Permission 'compute.networks"),
    "no known reason": (refusals.UNKNOWN_REASON, "it was refused (Not from here)"),
    "perimeter": (
        refusals.SECURITY_POLICY,
        f"perimeter to allow it; the audit log has it under {UID}",
    ),
    "scopes": (refusals.SCOPES, "with the scope https://www.googleapis.com/auth/cloud-platform"),
    "rate": (
        refusals.RATE_LIMIT,
        "a quota is used up; run again later, or ask for more at https://",
    ),
    "expired": (refusals.TOKEN_EXPIRED, "no valid credentials; sign in with `gcloud auth applic"),
    "actAs": (
        refusals.ACT_AS,
        "add-iam-policy-binding 720070608347-compute@developer.gserviceaccount.com --project "
        "my-project --member=user:YOU --role=roles/iam.serviceAccountUser`",
    ),
    "billing link": (refusals.BILLING_DISABLED, "/billing/enable?project=1051023892108 then retr"),
    "key": (
        Fault(403, message=f"Permission denied on Cloud KMS key {refusals.KEY}. Please ensure"),
        f"--authorize-cmek={refusals.KEY}`",
    ),
    "hold": (refusals.HOLD, "objects update gs://bucket/home/object --no-event"),
    "location": (refusals.LOCATIONS, "your organization allows nothing in europe-west4; give anot"),
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
    "ListModels": ("deploy",),
    "ListEndpoints": ("undeploy",),
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


@pytest.mark.parametrize(
    ("consumer", "login", "said"),
    [
        ("quota-1", "quota-1", "set-quota-project my-project`, or enable the API"),
        ("764086051850", None, "set-quota-project my-project`, or enable the API"),
        ("720070608347", "my-project", ": enable the API"),
    ],
)
def test_a_login_whose_requests_count_against_another_project_can_change_that(
    consumer: str,
    login: str | None,
    said: str,
    cloud: Cloud,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = Credentials(token="mine", quota_project_id=login)
    monkeypatch.setattr(target, "default_credentials", lambda: mine)
    off = refusals.typed(
        403, "SERVICE_DISABLED", "It is off.", service="a.com", consumer=f"projects/{consumer}"
    )
    cloud.wire.fail("ListPipelineJobs", off)
    error = command("jobs").error
    assert f"{said} with `gcloud services enable a.com --project {consumer}`" in error


def test_the_role_that_credentials_of_a_pool_lack_is_for_its_principal(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OfPool(AnonymousCredentials):  # type: ignore[misc]
        service_account_email = None
        info: ClassVar = {"audience": f"{POOL}/providers/one"}

    monkeypatch.setattr(target, "default_credentials", OfPool)
    cloud.wire.fail("ListPipelineJobs", refusals.IAM_PERMISSION_DENIED)
    assert f"--member=principal:{POOL}/subject/SUBJECT --role" in command("jobs").error


def test_the_credentials_that_were_used_are_named(
    cloud: Cloud, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "default_credentials", DEFAULT_CREDENTIALS)
    with serve_sign_in(monkeypatch) as sign_in:
        path = sign_in.file("service_account", tmp_path)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        cloud.wire.fail("BatchGetServices", refusals.TOKEN_EXPIRED, times=9)
        refused = command(*SUBMIT).error
        sign_in.answers["/token"] = KEY_DELETED
        deleted = command(*SUBMIT).error
        path.write_text("[]")
        unusable = command(*SUBMIT).error
    origin = (
        f"unset GOOGLE_APPLICATION_CREDENTIALS, which names {path} and wins over gcloud's login"
    )
    look = f"look for the key in `gcloud iam service-accounts keys list --iam-account={ROBOT}`"
    assert f"no valid credentials; {look}, or {origin} (Request had invalid" in refused
    make = f"`gcloud iam service-accounts keys create {path} --iam-account={ROBOT}`"
    assert f"no valid credentials; make a new key with {make}, or {origin} (invalid_gr" in deleted
    assert f"correct GOOGLE_APPLICATION_CREDENTIALS, which names {path}, or unset" in unusable
    assert cloud.pipelines.created == []


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
