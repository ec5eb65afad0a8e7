"""What the preflight finds missing, each with the command that mends it."""

from typing import Any

import google.auth.exceptions
import pytest
from google.oauth2.credentials import Credentials

from pipeline import compiler
from pipeline.errors import CloudError
from pipeline.vertex import connection, preflight
from pipeline.vertex.target import Target
from tests.fakes.cloud import Cloud
from tests.fakes.project_services import ACCOUNT
from tests.fakes.wire import Fault
from tests.pipeline.vertex.conftest import Command

REFRESH = preflight.refresh
"""The tests' cloud does without it."""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "check", lambda: None)


def lacking(command: Command, cloud: Cloud, *options: str, bucket: str = "my-bucket") -> list[str]:
    """What a submission says is missing; nothing was submitted."""
    told = command("submit", "--bucket", bucket, *options)
    assert told.code == 1, told.out
    first, *lines = told.error.strip().splitlines()
    assert first == "error: nothing was submitted:"
    assert cloud.pipelines.created == []
    assert cloud.buckets.made == []
    return lines


def test_an_api_that_is_off(cloud: Cloud, command: Command) -> None:
    cloud.usage.enabled = {"storage.googleapis.com"}
    (line,) = lacking(command, cloud)
    assert "aiplatform.googleapis.com, compute.googleapis.com are not enabled" in line
    enable = "`gcloud services enable aiplatform.googleapis.com compute.googleapis.com --project"
    assert enable in line


def test_compute_engine_is_not_needed_with_an_account_of_ones_own(
    cloud: Cloud, command: Command
) -> None:
    cloud.usage.enabled.remove("compute.googleapis.com")
    assert command("submit", "--bucket", "my-bucket", "--service-account", ACCOUNT).code == 0
    assert "compute.googleapis.com is not enabled" in lacking_again(command)


def lacking_again(command: Command) -> str:
    return command("submit", "--bucket", "my-bucket").error


def test_a_bucket_that_is_missing(cloud: Cloud, command: Command) -> None:
    (line,) = lacking(command, cloud, bucket="no-bucket")
    assert "there is no bucket gs://no-bucket: give --create-bucket, or run `gcloud storage" in line
    assert "--location europe-west4 --uniform-bucket-level-access" in line
    assert "--public-access-prevention" in line


@pytest.mark.parametrize(
    ("location", "is_near"),
    [("EUROPE-WEST4", True), ("EU", True), ("EUROPE-WEST1", False), ("US", False)],
)
def test_a_bucket_that_is_far_away(
    location: str, is_near: bool, cloud: Cloud, command: Command
) -> None:
    cloud.buckets.locations["my-bucket"] = location
    if is_near:
        assert command("submit", "--bucket", "my-bucket").code == 0
        return
    (line,) = lacking(command, cloud)
    assert f"gs://my-bucket is in {location}, and the run in europe-west4" in line


def test_a_service_account_that_does_not_exist(cloud: Cloud, command: Command) -> None:
    account = "other@my-project.iam.gserviceaccount.com"
    (line,) = lacking(command, cloud, "--service-account", account)
    assert f"there is no service account {account}: run `gcloud iam service-accounts create" in line


def test_a_service_account_that_one_may_not_use(cloud: Cloud, command: Command) -> None:
    cloud.iam.permissions[ACCOUNT] = set()
    (line,) = lacking(command, cloud, "--service-account", ACCOUNT)
    assert f"you may not run as {ACCOUNT}" in line
    assert "--role=roles/iam.serviceAccountUser`" in line


def test_all_that_is_missing_is_told_at_once(cloud: Cloud, command: Command) -> None:
    cloud.usage.enabled.clear()
    cloud.iam.permissions[ACCOUNT] = set()
    options = ("--service-account", ACCOUNT)
    assert len(lacking(command, cloud, *options, bucket="no-bucket")) == 3


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("BatchGetServices", "whether the APIs are enabled"),
        ("TestIamPermissions", "whether you may run as the service account"),
        ("GetBucket", "whether gs://my-bucket is there and near"),
    ],
)
@pytest.mark.parametrize("fault", [Fault(403), Fault(503), Fault()], ids=["403", "503", "reset"])
def test_a_check_that_cannot_be_made_stops_nothing_and_is_told(
    method: str,
    what: str,
    fault: Fault,
    cloud: Cloud,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "AGAIN_SECONDS", 0.2)
    cloud.wire.fail(method, fault, times=20)
    told = command("submit", "--bucket", "my-bucket", "--service-account", ACCOUNT)
    assert told.code == 0, told.error
    (line,) = [line for line in told.out.splitlines() if line.startswith("not checked: ")]
    assert what in line
    assert len(cloud.pipelines.created) == 1


def test_a_bucket_that_cannot_be_made(cloud: Cloud, command: Command) -> None:
    cloud.wire.fail("CreateBucket", Fault(409, message="The requested name is not available."))
    told = command("submit", "--bucket", "taken", "--create-bucket")
    assert told.code == 1
    assert "could not make gs://taken" in told.error
    assert "The requested name is not available" in told.error
    assert cloud.pipelines.created == []


class TestCredentials:
    def test_without_any_the_login_is_named(
        self, command: Command, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none() -> Any:
            raise google.auth.exceptions.DefaultCredentialsError("not found")

        monkeypatch.setattr(connection, "credentials", none)
        told = command("submit", "--bucket", "my-bucket")
        assert told.code == 1
        assert "`gcloud auth application-default login`" in told.error
        assert len(told.error.strip().splitlines()) == 1

    def test_a_login_that_ran_out_is_told_first(self) -> None:
        class RanOut(Credentials):  # type: ignore[misc]
            def refresh(self, request: object) -> None:
                raise google.auth.exceptions.RefreshError("invalid_grant: expired")

        with pytest.raises(CloudError, match=r"no longer valid; sign in with .*invalid_grant"):
            REFRESH(RanOut(token=None), Target("my-project", "europe-west4"))

    def test_a_persons_login_needs_a_quota_project(
        self, command: Command, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "credentials", lambda: Credentials(token="mine"))
        (line,) = lacking(command, cloud)
        assert "set-quota-project my-project`" in line
        login = Credentials(token="mine", quota_project_id="my-project")
        monkeypatch.setattr(connection, "credentials", lambda: login)
        assert command("submit", "--bucket", "my-bucket").code == 0
