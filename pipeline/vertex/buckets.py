"""The bucket of the runs: is it there, is it near, and how one is made."""

import re
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.vertex.connection import SECONDS
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
CONTINENTS: Final = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}
"""Multi-regions, and how the regions in them begin."""


def checked(bucket: str) -> str:
    """The name of a bucket, given with or without ``gs://``.

    Raises:
        UsageError: It is none.
    """
    name = bucket.removeprefix("gs://").rstrip("/")
    if not NAME.fullmatch(name):
        raise UsageError(f"--bucket {bucket}: give the name of a bucket, without a folder")
    return name


def client(target: Target, credentials: Any) -> Any:
    """A client of Cloud Storage."""
    from google.cloud import storage

    return storage.Client(project=target.project, credentials=credentials)


def near(bucket: Any, region: str) -> bool:
    """Whether a bucket has its data in a region, or in a multi-region that holds it."""
    location = str(bucket.location).upper()
    places = {location, *(place.upper() for place in bucket.data_locations or ())}
    return region.upper() in places or region.startswith(CONTINENTS.get(location, "?"))


def create(client: Any, name: str, target: Target) -> None:
    """Makes a bucket that no one outside the project can be let into by accident.

    Raises:
        CloudError: It cannot be made.
    """
    bucket = client.bucket(name)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    with explained(f"make gs://{name}", target, service="storage"):
        client.create_bucket(bucket, location=target.region, timeout=SECONDS)


def command(name: str, target: Target) -> str:
    """The gcloud command that makes the bucket."""
    return (
        f"gcloud storage buckets create gs://{name} --project {target.project} "
        f"--location {target.region} --uniform-bucket-level-access --public-access-prevention"
    )
