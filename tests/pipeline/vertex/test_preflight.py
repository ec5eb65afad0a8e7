"""What the preflight finds missing, each with the command that fixes it."""

from typing import Any

import google.auth.exceptions
import pytest
from google.oauth2.credentials import Credentials

from pipeline.vertex import target
from tests.fakes import refusals
from tests.fakes.cloud import ACCOUNT, Cloud
from tests.fakes.wire import NUMBER, Fault
from tests.pipeline.vertex.conftest import Command, lacking

AS_ACCOUNT = ("--service-account", ACCOUNT)
UNKNOWN = "other@my-project.iam.gserviceaccount.com"


def test_an_api_that_is_off(cloud: Cloud, submit: Command) -> None:
    cloud.usage.enabled = {"storage.googleapis.com"}
    (line,) = lacking(submit, cloud)
    assert "aiplatform.googleapis.com, compute.googleapis.com are not enabled" in line
    enable = "`gcloud services enable aiplatform.googleapis.com compute.googleapis.com --project"
    assert enable in line
    cloud.usage.enabled.add("aiplatform.googleapis.com")
    (line,) = lacking(submit, cloud)
    assert "compute.googleapis.com is not enabled" in line
    assert submit(*AS_ACCOUNT).code == 0, "only Compute Engine's default account needs its API"


def test_a_check_that_an_api_makes_impossible_names_the_api(cloud: Cloud, submit: Command) -> None:
    cloud.wire.fail("BatchGetServices", refusals.SERVICE_USAGE_DISABLED)
    done = submit("--bucket-owner", NUMBER)
    assert done.code == 0, done.error
    (line,) = [line for line in done.out.splitlines() if line.startswith("not checked: ")]
    assert "`gcloud services enable serviceusage.googleapis.com --project 720070608347`" in line


def test_a_project_that_is_given_by_its_number_needs_nobody_to_look_it_up(
    cloud: Cloud, submit: Command
) -> None:
    cloud.wire.fail("BatchGetServices", Fault(403))
    assert "gs://" not in submit("--project", NUMBER).error


def test_a_check_that_ends_with_a_refused_login_names_the_login(
    cloud: Cloud, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Revoked(Credentials):  # type: ignore[misc]
        def refresh(self, request: object) -> None:
            raise google.auth.exceptions.RefreshError("invalid_grant: revoked")

    monkeypatch.setattr(target, "default_credentials", lambda: Revoked(token="mine"))
    cloud.wire.fail("BatchGetServices", refusals.TOKEN_EXPIRED)
    done = submit()
    (line,) = done.error.strip().splitlines()
    assert "no valid credentials; sign in with `gcloud auth application-default login`" in line
    assert done.out == ""


def test_a_service_account_that_cannot_be_used(cloud: Cloud, submit: Command) -> None:
    (line,) = lacking(submit, cloud, "--service-account", UNKNOWN)
    assert f"there is no service account {UNKNOWN}: run `gcloud iam service-accounts create" in line
    cloud.iam.permissions[ACCOUNT] = set()
    (line,) = lacking(submit, cloud, *AS_ACCOUNT)
    assert f"you may not run as {ACCOUNT}" in line
    assert "--member=user:YOU " in line
    assert "--role=roles/iam.serviceAccountUser`" in line


def test_everything_missing_is_listed_at_once(cloud: Cloud, submit: Command) -> None:
    cloud.usage.enabled.clear()
    cloud.iam.permissions[ACCOUNT] = set()
    assert len(lacking(submit, cloud, *AS_ACCOUNT, "--bucket", "no-bucket")) == 3


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("BatchGetServices", "whether the APIs are enabled"),
        ("TestIamPermissions", "whether you may run as the service account"),
        ("GetBucket", "whether gs://my-bucket exists, where it is and who owns it"),
    ],
)
@pytest.mark.parametrize("fault", [Fault(403), Fault()], ids=["403", "reset"])
def test_a_check_without_an_answer_stops_nothing(
    method: str,
    what: str,
    fault: Fault,
    cloud: Cloud,
    submit: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 0.2)
    cloud.wire.fail(method, fault, times=20)
    done = submit(*AS_ACCOUNT, "--bucket-owner", NUMBER)
    assert done.code == 0, done.error
    (line,) = [line for line in done.out.splitlines() if line.startswith("not checked: ")]
    assert what in line
    assert len(cloud.pipelines.created) == 1


def test_without_credentials_the_login_is_named(
    submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Any:
        raise google.auth.exceptions.DefaultCredentialsError("not found")

    monkeypatch.setattr(target, "default_credentials", none)
    done = submit()
    assert done.code == 1
    assert "`gcloud auth application-default login`" in done.error
    assert len(done.error.strip().splitlines()) == 1


def test_an_expired_login_is_reported_first(
    cloud: Cloud, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Expired(Credentials):  # type: ignore[misc]
        def refresh(self, request: object) -> None:
            raise google.auth.exceptions.RefreshError("invalid_grant: expired")

    monkeypatch.setattr(target, "default_credentials", lambda: Expired(token=None))
    done = submit()
    assert done.code == 1
    assert "no valid credentials; sign in with" in done.error
    assert "(invalid_grant: expired)" in done.error
    assert cloud.wire.calls == []


def test_a_persons_login_needs_a_quota_project(
    cloud: Cloud, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "default_credentials", lambda: Credentials(token="mine"))
    (line,) = lacking(submit, cloud)
    assert "set-quota-project my-project`" in line
    login = Credentials(token="mine", quota_project_id="my-project")
    monkeypatch.setattr(target, "default_credentials", lambda: login)
    assert submit().code == 0
