"""What the preflight finds missing, each with the command that fixes it."""

from typing import Any

import google.auth.exceptions
import pytest
from google.oauth2.credentials import Credentials

from pipeline.vertex import target
from tests.fakes import refusals
from tests.fakes.cloud import ACCOUNT, UNIFORM, Cloud
from tests.fakes.sign_in import POOL, ROBOT
from tests.fakes.wire import NUMBER, Fault
from tests.pipeline.vertex.conftest import Command

AS_ACCOUNT = ("--service-account", ACCOUNT)
WHOSE = " does not have storage.buckets.create access to the Google Cloud project."
UNKNOWN = "other@my-project.iam.gserviceaccount.com"


def lacking(submit: Command, cloud: Cloud, *options: str) -> list[str]:
    """What a submission says is missing; nothing was submitted."""
    done = submit(*options)
    assert done.code == 1, done.out
    first, *lines = done.error.strip().splitlines()
    assert first == "error: nothing was submitted:"
    assert cloud.pipelines.created == []
    assert cloud.buckets.made == []
    return lines


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


def test_a_bucket_that_is_missing(cloud: Cloud, submit: Command) -> None:
    (line,) = lacking(submit, cloud, "--bucket", "no-bucket")
    assert "there is no bucket gs://no-bucket: give --create-bucket, or run `gcloud storage" in line
    assert "--location europe-west4 --uniform-bucket-level-access" in line
    assert "--public-access-prevention" in line


def test_a_missing_bucket_is_made_on_request(cloud: Cloud, submit: Command) -> None:
    done = submit("--bucket", "new-bucket", "--create-bucket")
    assert done.code == 0, done.error
    assert "made gs://new-bucket in europe-west4" in done.out
    (bucket,) = cloud.buckets.made
    assert bucket["location"].lower() == "europe-west4"
    made = bucket["iamConfiguration"]
    assert made["publicAccessPrevention"] == UNIFORM["publicAccessPrevention"]
    assert made["uniformBucketLevelAccess"]["enabled"] is True
    assert len(cloud.pipelines.created) == 1


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (refusals.TAKEN, "give another --bucket, such as my-project-fashion-mnist"),
        (refusals.DOMAIN, "give --bucket a name without dots"),
        (refusals.UNVERIFIED, "give --bucket a name without dots"),
        (refusals.NO_LOCATION, "your organization allows nothing in europe-west4; give another"),
        (refusals.NO_UNIFORM, "about constraints/storage.uniformBucketLevelAccess"),
        (refusals.ACCOUNT_DISABLED, "link the project to an open billing account"),
        *(
            (
                refusals.plain(403, "forbidden", f"{caller}{WHOSE}"),
                f"add-iam-policy-binding my-project --member={kind}{caller} --role=roles/storage.a",
            )
            for kind, caller in (
                ("user:", "me@example.com"),
                ("serviceAccount:", ROBOT),
                ("", f"principal:{POOL}/subject/me"),
            )
        ),
    ],
)
def test_a_bucket_that_cannot_be_made(
    shape: Fault, said: str, cloud: Cloud, submit: Command
) -> None:
    cloud.wire.fail("CreateBucket", shape)
    done = submit("--bucket", "taken", "--create-bucket")
    assert done.code == 1
    assert "could not make gs://taken" in done.error
    assert said in done.error
    assert shape.message[:40] in done.error
    assert cloud.pipelines.created == []


def test_a_bucket_is_made_once_even_if_the_answer_is_lost(cloud: Cloud, submit: Command) -> None:
    cloud.wire.fail("CreateBucket", Fault(after=True))
    done = submit("--bucket", "new-bucket", "--create-bucket")
    assert done.code == 0, done.error
    assert len(cloud.wire.named("CreateBucket")) == 2
    assert len(cloud.buckets.made) == 1


def test_a_check_that_an_api_makes_impossible_names_the_api(cloud: Cloud, submit: Command) -> None:
    cloud.wire.fail("BatchGetServices", refusals.SERVICE_USAGE_DISABLED)
    done = submit("--bucket-owner", NUMBER)
    assert done.code == 0, done.error
    (line,) = [line for line in done.out.splitlines() if line.startswith("not checked: ")]
    assert "`gcloud services enable serviceusage.googleapis.com --project 720070608347`" in line


def pair(*places: str) -> dict[str, Any]:
    return {"customPlacementConfig": {"dataLocations": list(places)}}


@pytest.mark.parametrize(
    ("location", "region", "more"),
    [
        ("EUROPE-WEST4", "europe-west4", {}),
        ("EU", "europe-west4", {}),
        ("EU", "europe-west4", pair("EUROPE-WEST1", "EUROPE-WEST4")),
        ("EUR4", "europe-west4", {}),
        ("NAM4", "us-east1", {}),
        ("ASIA1", "asia-northeast2", {}),
    ],
)
def test_a_bucket_that_holds_the_region_passes_and_a_wider_one_is_a_warning(
    location: str, region: str, more: dict[str, Any], cloud: Cloud, submit: Command
) -> None:
    cloud.buckets.locations["my-bucket"] = location
    cloud.buckets.descriptions["my-bucket"] = more
    cloud.usage.enabled.discard("compute.googleapis.com")
    done = submit("--region", region)
    assert "gs://" not in done.error
    warned = f"not in {region} alone; the Model Registry has refused" in done.out
    assert warned == (location != "EUROPE-WEST4")


@pytest.mark.parametrize(
    ("location", "region", "more"),
    [
        ("EUROPE-WEST1", "europe-west4", {}),
        ("US", "europe-west4", {}),
        ("EU", "europe-west2", {}),
        ("EU", "europe-west4", pair("EUROPE-WEST1", "EUROPE-NORTH1")),
        ("EUR5", "europe-west4", {}),
    ],
)
def test_a_bucket_that_is_far_away(
    location: str, region: str, more: dict[str, Any], cloud: Cloud, submit: Command
) -> None:
    cloud.buckets.locations["my-bucket"] = location
    cloud.buckets.descriptions["my-bucket"] = more
    (line,) = lacking(submit, cloud, "--region", region)
    assert f"gs://my-bucket is in {location}" in line
    assert f"and the run in {region}: give another --bucket, or run `gcloud storage" in line


@pytest.mark.parametrize("bucket", ["my-bucket", "no-bucket"])
def test_no_bucket_is_advised_in_a_region_that_may_be_mistyped(
    bucket: str, cloud: Cloud, submit: Command
) -> None:
    (line,) = lacking(submit, cloud, "--bucket", bucket, "--region", "europe-wst4")
    assert "the SDK lists no region europe-wst4: correct --region, or --bucket" in line
    assert "create" not in line


@pytest.mark.parametrize("create", [(), ("--create-bucket",)])
def test_a_bucket_of_another_project_is_refused(
    create: tuple[str, ...], cloud: Cloud, submit: Command
) -> None:
    cloud.buckets.descriptions["my-bucket"] = {"projectNumber": "222"}
    (line,) = lacking(submit, cloud, *create)
    assert "gs://my-bucket belongs to the project with the number 222, and my-project has" in line
    assert "or --bucket-owner 222 " in line
    assert ("instead of --create-bucket" in line) == bool(create)


def test_a_bucket_of_another_project_is_taken_if_its_owner_is_named(
    cloud: Cloud, submit: Command
) -> None:
    cloud.buckets.descriptions["my-bucket"] = {"projectNumber": "222"}
    (line,) = lacking(submit, cloud, "--bucket-owner", "333")
    assert "with the number 222, and --bucket-owner is 333" in line
    assert submit("--bucket-owner", "222").code == 0


PRINTED = "`gcloud projects describe my-project --format='value(projectNumber)'` prints"


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        (Fault(403), ""),
        (Fault(), "the connection broke; look at the network and run again"),
        (Fault(503), "failed; run again in some minutes (https://status.cloud.google.com shows"),
        (refusals.SERVICE_USAGE_DISABLED, "enable the API with `gcloud services enable servic"),
        (refusals.USER_PROJECT_DENIED, "let the account use the quota project with `gcloud"),
        (refusals.CONSUMER_INVALID, "there is no project my-project: give an id"),
        (refusals.ACCOUNT_DISABLED, "link the project to an open billing account at https://"),
        (refusals.VPC, "ask the administrator of the VPC Service Controls perimeter to allow it"),
    ],
)
@pytest.mark.parametrize(
    ("method", "unknown", "number", "service"),
    [
        (
            "BatchGetServices",
            "the owner of gs://my-bucket is not checked",
            PRINTED,
            "Service Usage",
        ),
        (
            "GetBucket",
            "it is not known whose gs://my-bucket is",
            "of its project",
            "Cloud Storage",
        ),
    ],
)
def test_an_owner_that_cannot_be_found_out_has_to_be_named_unless_the_cause_is_mended(
    method: str,
    unknown: str,
    number: str,
    service: str,
    fault: Fault,
    cure: str,
    cloud: Cloud,
    submit: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 0.2)
    for create in ((), ("--create-bucket",)):
        cloud.wire.faults[method] = [fault] * 20
        (line,) = lacking(submit, cloud, *create)
        assert line.strip().startswith(f"{service} {cure}" if fault.status == 503 else cure)
        assert "give --bucket-owner with the number" in line
        assert number in line
        assert line.endswith(f"{unknown}, and bucket names are shared by all of Google Cloud") or (
            line.endswith(unknown)
        )
        assert ("bucketViewer" in line) == (method == "GetBucket" and not cure)
        assert NUMBER not in line, "it may be a stranger's"


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


@pytest.mark.parametrize(
    ("setting", "option"),
    [
        ({"billing": {"requesterPays": True}}, "--no-requester-pays"),
        ({"retentionPolicy": {"retentionPeriod": "60"}}, "--clear-retention-period"),
        ({"retentionPolicy": {"retentionPeriod": "60", "isLocked": True}}, ""),
        ({"defaultEventBasedHold": True}, "--no-default-event-based-hold"),
    ],
    ids=["requester pays", "retention", "locked", "hold"],
)
def test_a_setting_of_the_bucket_that_makes_runs_fail(
    setting: dict[str, Any], option: str, cloud: Cloud, submit: Command
) -> None:
    cloud.buckets.descriptions["my-bucket"] = setting
    (line,) = lacking(submit, cloud)
    assert "give another --bucket" in line
    update = f", or run `gcloud storage buckets update gs://my-bucket {option}`"
    assert line.endswith(update) if option else "gcloud" not in line


def test_a_bucket_whose_description_somebody_has_to_pay_for(cloud: Cloud, submit: Command) -> None:
    told = "Bucket is a requester pays bucket but no user project provided."
    cloud.wire.fail("GetBucket", Fault(400, message=told))
    (line,) = lacking(submit, cloud)
    assert "--no-requester-pays`" in line
    cloud.wire.fail("GetBucket", refusals.plain(403, "userProjectMissing", "A project must pay."))
    (line,) = lacking(submit, cloud)
    assert "gs://my-bucket --no-requester-pays`, or use another bucket, or give --bucket" in line


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
