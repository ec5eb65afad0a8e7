"""The bucket of a run: whose it is, where it is, and what of it makes a run fail."""

from typing import Any

import pytest

from pipeline.vertex import target
from tests.fakes import refusals
from tests.fakes.cloud import UNIFORM, Cloud
from tests.fakes.sign_in import POOL, ROBOT
from tests.fakes.wire import NUMBER, Fault
from tests.pipeline.vertex.conftest import Command, lacking

WHOSE = " does not have storage.buckets.create access to the Google Cloud project."


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
