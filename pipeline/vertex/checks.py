"""The checks of the preflight, each for one thing that a run needs."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from pipeline.errors import CloudError
from pipeline.vertex import buckets
from pipeline.vertex.connection import SECONDS, endpoint, failures, patient, unwrapped
from pipeline.vertex.refusals import explain, explained
from pipeline.vertex.target import Target

APIS: Final = ("aiplatform.googleapis.com", "storage.googleapis.com")
DEFAULT_ACCOUNT_API: Final = "compute.googleapis.com"
"""Its default service account is what the steps run as when no other is named."""
ACT_AS: Final = "iam.serviceAccounts.actAs"


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a run needs.

    Attributes:
        target: Project and region.
        bucket: The bucket's name.
        service_account: What the steps run as; empty: Compute Engine's default account.
        create_bucket: Make the bucket where it is missing.
    """

    target: Target
    bucket: str
    service_account: str = ""
    create_bucket: bool = False


@dataclasses.dataclass(frozen=True)
class Finding:
    """What came out of one check.

    Attributes:
        state: ``ok``, ``failed`` or ``not checked``.
        text: What is there, or what to do.
    """

    state: str
    text: str


def quota_project(target: Target, credentials: Any) -> Iterator[Finding]:
    """Whether somebody pays for the requests of a person's own login."""
    from google.oauth2.credentials import Credentials

    # Only a person's own login has no project that its requests are counted against.
    if isinstance(credentials, Credentials) and not credentials.quota_project_id:
        yield Finding(
            "failed",
            "your login has no quota project: run `gcloud auth application-default "
            f"set-quota-project {target.project}`",
        )


def enabled_apis(needs: Needs, session: Any) -> Iterator[Finding]:
    """Whether the APIs are enabled."""
    project = needs.target.project
    wanted = APIS if needs.service_account else (*APIS, DEFAULT_ACCOUNT_API)
    names = [f"projects/{project}/services/{api}" for api in wanted]
    url = f"{endpoint('serviceusage')}/v1/projects/{project}/services:batchGet"
    answer = session.get(url, params={"names": names}, timeout=SECONDS)
    _raise(answer)
    services = answer.json().get("services", [])
    on = {one["name"].rsplit("/", 1)[1] for one in services if one.get("state") == "ENABLED"}
    if off := [api for api in wanted if api not in on]:
        yield Finding(
            "failed",
            f"{', '.join(off)} {'are' if len(off) > 1 else 'is'} not enabled: run "
            f"`gcloud services enable {' '.join(off)} --project {project}`",
        )


def usable_account(needs: Needs, session: Any) -> Iterator[Finding]:
    """Whether you may run as the service account."""
    account, project = needs.service_account, needs.target.project
    if not account:
        return
    url = f"{endpoint('iam')}/v1/projects/-/serviceAccounts/{account}:testIamPermissions"
    answer = session.post(url, json={"permissions": [ACT_AS]}, timeout=SECONDS)
    if answer.status_code == 404:
        name = account.partition("@")[0]
        yield Finding(
            "failed",
            f"there is no service account {account}: run "
            f"`gcloud iam service-accounts create {name} --project {project}`",
        )
        return
    _raise(answer)
    if ACT_AS not in answer.json().get("permissions", []):
        yield Finding(
            "failed",
            f"you may not run as {account}: run `gcloud iam service-accounts "
            f"add-iam-policy-binding {account} --project {project} --member=user:YOU "
            "--role=roles/iam.serviceAccountUser`",
        )


def near_bucket(needs: Needs, credentials: Any) -> Iterator[Finding]:
    """Whether the bucket is there, and in the region; makes it where that was asked for."""
    from google.api_core.exceptions import NotFound

    target, name = needs.target, needs.bucket
    with explained(f"look at gs://{name}", target, service="storage"):
        client = buckets.client(target, credentials)
    try:
        bucket = client.get_bucket(name, timeout=SECONDS, retry=patient())
    except NotFound:
        if not needs.create_bucket:
            yield Finding(
                "failed",
                f"there is no bucket gs://{name}: give --create-bucket, or run "
                f"`{buckets.command(name, target)}`",
            )
            return
        buckets.create(client, name, target)
        yield Finding("ok", f"made gs://{name} in {target.region}")
    except failures() as error:
        yield unanswered(error, f"whether gs://{name} is there and near", target, "storage")
    else:
        if not buckets.near(bucket, target.region):
            yield Finding(
                "failed",
                f"gs://{name} is in {bucket.location}, and the run in {target.region}: give "
                f"another --bucket, or run `{buckets.command(f'{name}-{target.region}', target)}`",
            )


def _raise(answer: Any) -> None:
    from google.api_core.exceptions import from_http_response

    if not answer.ok:
        raise from_http_response(answer)


def unanswered(
    error: BaseException, what: str, target: Target, service: str = "aiplatform"
) -> Finding:
    """What becomes of a check that got no answer.

    Raises:
        CloudError: The credentials are not accepted; nothing else can be asked then.
    """
    from google.api_core.exceptions import Forbidden, Unauthorized

    error = unwrapped(error)
    reason = explain(error, f"find out {what}", target, service=service)
    if isinstance(error, Unauthorized):
        raise CloudError(reason) from error
    if isinstance(error, Forbidden):
        reason = f"{what}: your account may not look at that"
    return Finding("not checked", reason)
