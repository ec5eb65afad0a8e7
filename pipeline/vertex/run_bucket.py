"""The bucket of a run: whose it is, whether it is near, and whether the steps can work in it.

Bucket names are shared by all of Google Cloud and can be guessed. Whoever makes a bucket of the
expected name first would get the data and could replace the models, as in CVE-2026-2473. So
nothing is sent to a bucket whose owner is neither the project nor named by the user.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.vertex.refusals import explained
from pipeline.vertex.target import SECONDS, Target, known_regions

if TYPE_CHECKING:
    from pipeline.vertex.request import Options

DUAL_REGIONS: Final = {
    "ASIA1": ("asia-northeast1", "asia-northeast2"),
    "EUR4": ("europe-north1", "europe-west4"),
    "EUR5": ("europe-west1", "europe-west2"),
    "EUR7": ("europe-west2", "europe-west3"),
    "EUR8": ("europe-west3", "europe-west6"),
    "NAM4": ("us-central1", "us-east1"),
}
"""Predefined dual-regions; the service's description of a bucket does not name their regions."""
MULTI_REGIONS: Final = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}
"""Multi-regions, and how the names of their regions begin."""
NOT_IN_EU: Final = ("europe-west2", "europe-west6")
"""London and Zurich, which the multi-region EU does not include."""
PAYS: Final = "requester pays"
"""How the service calls it too, where a request names no project that pays."""
SETTINGS: Final = {
    "requester_pays": (
        f"has {PAYS} on, and the steps name no project that pays",
        "no-requester-pays",
    ),
    "retention_period": (
        "has a retention policy, and a training replaces and deletes its checkpoints",
        "clear-retention-period",
    ),
    "default_event_based_hold": (
        "holds new objects, and a training replaces and deletes its checkpoints",
        "no-default-event-based-hold",
    ),
}
"""Settings that make a run fail: why, and the option of gcloud that switches each off."""


LOCKED: Final = "has a locked retention policy, which cannot be removed"


class Project(NamedTuple):
    """What is known of the run's project.

    Attributes:
        number: Empty if it is not known.
        cure: How it could be found out; empty if that is not known either.
    """

    number: str
    cure: str = ""


def faults(
    target: Target, options: "Options", project: Project, bucket: Any, say: Callable[[str], None]
) -> Iterator[str]:
    """What is wrong with a bucket as the service describes it; ``say`` gets warnings."""
    yield from _owner(target, options, project, bucket)
    yield from _place(target, bucket, say)
    for name in SETTINGS:
        if name == "retention_period" and bucket.retention_policy_locked:
            yield f"gs://{bucket.name} {LOCKED}: give another --bucket"
        elif getattr(bucket, name):
            yield setting(bucket.name, name)


def setting(bucket: str, name: str) -> str:
    """What to say about one of the ``SETTINGS``."""
    why, option = SETTINGS[name]
    command = f"gcloud storage buckets update gs://{bucket} --{option}"
    return f"gs://{bucket} {why}: give another --bucket, or run `{command}`"


def missing(target: Target, name: str) -> str:
    """What to say when there is no such bucket."""
    if unlisted := _unlisted(target):
        return f"there is no bucket gs://{name}, {unlisted}"
    return f"there is no bucket gs://{name}: give --create-bucket, or run `{_make(target, name)}`"


def unknown(options: "Options", cure: str = "") -> str:
    """What to say about a bucket that nothing could be found out about."""
    return (
        f"{cure or 'give another --bucket, get roles/storage.bucketViewer on it'}, or give "
        f"--bucket-owner with the number of its project{_instead(options)}: it is not known whose "
        f"gs://{options.bucket_name} is, and bucket names are shared by all of Google Cloud"
    )


def create(client: Any, name: str, target: Target) -> None:
    """Makes a bucket that cannot be opened to the public by accident."""
    from google.api_core.exceptions import Conflict

    bucket = client.bucket(name)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    with explained(f"make gs://{name}", target, service="storage"):
        try:
            client.create_bucket(bucket, location=target.region, timeout=SECONDS)
        except Conflict as error:
            # An earlier request had arrived, and only its answer was lost.
            if "already own it" not in error.message:
                raise


def _owner(target: Target, options: "Options", project: Project, bucket: Any) -> Iterator[str]:
    owner, expected = str(bucket.project_number), options.bucket_owner or project.number
    if owner == expected:
        return
    if not expected:
        # The owner's number is not offered: whoever pastes it accepts any owner.
        yield (
            f"{project.cure}{', or ' * bool(project.cure)}give --bucket-owner with the number that "
            f"`gcloud projects describe {target.project} --format='value(projectNumber)'` prints"
            f"{_instead(options)}: the number of {target.project} could not be found out, and "
            f"without it the owner of gs://{bucket.name} is not checked"
        )
        return
    other = f"{target.project} has the number {project.number}"
    if options.bucket_owner:
        other = f"--bucket-owner is {options.bucket_owner}"
    yield (
        f"gs://{bucket.name} belongs to the project with the number {owner}, and {other}: give "
        f"another --bucket, or --bucket-owner {owner}{_instead(options)} if data and models may "
        "go there"
    )


def _instead(options: "Options") -> str:
    return " instead of --create-bucket" if options.create_bucket else ""


def _place(target: Target, bucket: Any, say: Callable[[str], None]) -> Iterator[str]:
    location, region = str(bucket.location).upper(), target.region
    pair = [place.lower() for place in bucket.data_locations or DUAL_REGIONS.get(location, ())]
    begins = MULTI_REGIONS.get(location, "?")
    if pair:
        near, place = region in pair, f"{location} ({' and '.join(pair)})"
    elif location == region.upper():
        return
    else:
        excluded = NOT_IN_EU if location == "EU" else ()
        near, place = region.startswith(begins) and region not in excluded, location
    if near:
        say(
            f"warning: gs://{bucket.name} is in {place}, not in {region} alone; the Model Registry "
            "has refused models from such buckets, at the end of a run"
        )
        return
    make = _make(target, f"{bucket.name}-{region}")
    cure = f"and the run in {region}: give another --bucket, or run `{make}`"
    yield f"gs://{bucket.name} is in {place}, {_unlisted(target) or cure}"


def _unlisted(target: Target) -> str:
    """What to say about a region that may be mistyped; empty for one of the SDK's list."""
    listed = target.region in known_regions()
    return (
        ""
        if listed
        else f"and the SDK lists no region {target.region}: correct --region, or --bucket"
    )


def _make(target: Target, name: str) -> str:
    return (
        f"gcloud storage buckets create gs://{name} --project {target.project} --location "
        f"{target.region} --uniform-bucket-level-access --public-access-prevention"
    )
