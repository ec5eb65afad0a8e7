"""What a run needs, checked before anything costs money; each finding names the command to run."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from components.dataset.refusals import advice, unwrapped
from pipeline.errors import CloudError, CommandError
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import SECONDS, Target, endpoint, patient

APIS: Final = ("aiplatform.googleapis.com", "storage.googleapis.com")
DEFAULT_ACCOUNT_API: Final = "compute.googleapis.com"
"""Its default service account runs the steps if no other is named."""
ACT_AS: Final = "iam.serviceAccounts.actAs"
CONTINENTS: Final = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}
"""Multi-regions, and how the names of their regions begin."""
Say = Callable[[str], None]


def check(target: Target, bucket: str, account: str, say: Say, *, create_bucket: bool) -> None:
    """Makes all checks, and says what could not be checked.

    An empty account means Compute Engine's default account. With ``create_bucket`` the bucket is
    made if nothing else is missing.

    Raises:
        CloudError: The credentials are no longer valid, or the bucket could not be made.
        CommandError: Something is missing; the text has a line for each.
    """
    from google.auth.transport.requests import AuthorizedSession, Request
    from google.cloud import storage

    with explained("sign in", target):
        # A login that has expired is reported first and once.
        if not target.credentials.valid:
            target.credentials.refresh(Request())
    session = AuthorizedSession(target.credentials)
    client = storage.Client(project=target.project, credentials=target.credentials)
    lacking = list(_quota_project(target))
    with _optional("whether the APIs are enabled", target, say):
        lacking += _apis(target, account, session)
    with _optional("whether you may run as the service account", target, say):
        lacking += _account(target, account, session)
    is_missing = False
    with _optional(f"whether gs://{bucket} is there and near", target, say, service="storage"):
        found = client.lookup_bucket(bucket, timeout=SECONDS, retry=patient())
        is_missing = found is None
        if found or not create_bucket:
            lacking += _bucket(target, bucket, found)
    if lacking:
        raise CommandError("\n".join(("nothing was submitted:", *lacking)))
    if is_missing:
        _create_bucket(client, bucket, target)
        say(f"made gs://{bucket} in {target.region}")


@contextlib.contextmanager
def _optional(
    what: str, target: Target, say: Say, *, service: str = "aiplatform"
) -> Iterator[None]:
    """Says what could not be found out, unless nothing else could be found out either."""
    from google.api_core.exceptions import Forbidden, Unauthorized

    try:
        with explained(f"find out {what}", target, service=service):
            yield
    except CloudError as error:
        cause = unwrapped(error.__cause__)
        if isinstance(cause, Unauthorized):
            raise
        is_hidden = isinstance(cause, Forbidden) and not advice(cause)
        say(f"not checked: {f'{what}: your account may not look at that' if is_hidden else error}")


def _quota_project(target: Target) -> Iterator[str]:
    from google.oauth2.credentials import Credentials

    # Only a person's own login has no project that its requests are counted against.
    if isinstance(target.credentials, Credentials) and not target.credentials.quota_project_id:
        yield (
            "your login has no quota project: run `gcloud auth application-default "
            f"set-quota-project {target.project}`"
        )


def _apis(target: Target, account: str, session: Any) -> Iterator[str]:
    wanted = APIS if account else (*APIS, DEFAULT_ACCOUNT_API)
    names = [f"projects/{target.project}/services/{api}" for api in wanted]
    url = f"{endpoint('serviceusage')}/v1/projects/{target.project}/services:batchGet"
    answer = _checked(session.get(url, params={"names": names}, timeout=SECONDS))
    services = answer.json().get("services", [])
    on = {one["name"].rsplit("/", 1)[1] for one in services if one.get("state") == "ENABLED"}
    if off := [api for api in wanted if api not in on]:
        yield (
            f"{', '.join(off)} {'are' if len(off) > 1 else 'is'} not enabled: run "
            f"`gcloud services enable {' '.join(off)} --project {target.project}`"
        )


def _account(target: Target, account: str, session: Any) -> Iterator[str]:
    if not account:
        return
    url = f"{endpoint('iam')}/v1/projects/-/serviceAccounts/{account}:testIamPermissions"
    answer = session.post(url, json={"permissions": [ACT_AS]}, timeout=SECONDS)
    if answer.status_code == 404:
        yield (
            f"there is no service account {account}: run `gcloud iam service-accounts create "
            f"{account.partition('@')[0]} --project {target.project}`"
        )
    elif ACT_AS not in _checked(answer).json().get("permissions", []):
        yield (
            f"you may not run as {account}: run `gcloud iam service-accounts "
            f"add-iam-policy-binding {account} --project {target.project} --member=user:YOU "
            "--role=roles/iam.serviceAccountUser`"
        )


def _bucket(target: Target, name: str, bucket: Any) -> Iterator[str]:
    make = (
        "gcloud storage buckets create gs://{} "
        f"--project {target.project} --location {target.region} "
        "--uniform-bucket-level-access --public-access-prevention"
    )
    if bucket is None:
        how = f"give --create-bucket, or run `{make.format(name)}`"
        yield f"there is no bucket gs://{name}: {how}"
        return
    location = str(bucket.location).upper()
    places = {location, *(place.upper() for place in bucket.data_locations or ())}
    in_continent = target.region.startswith(CONTINENTS.get(location, "?"))
    if target.region.upper() not in places and not in_continent:
        yield (
            f"gs://{name} is in {bucket.location}, and the run in {target.region}: give another "
            f"--bucket, or run `{make.format(f'{name}-{target.region}')}`"
        )


def _create_bucket(client: Any, name: str, target: Target) -> None:
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


def _checked(answer: Any) -> Any:
    from google.api_core.exceptions import from_http_response

    if not answer.ok:
        raise from_http_response(answer)
    return answer
