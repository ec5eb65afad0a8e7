"""What a run needs, checked before anything costs money; each finding names the command to run."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from components.dataset.refusals import advice, is_credentials, unwrapped
from pipeline.errors import CloudError, CommandError
from pipeline.vertex import run_bucket
from pipeline.vertex.refusals import caller, cure_of, explained
from pipeline.vertex.target import SECONDS, Target, endpoint, patient

if TYPE_CHECKING:
    from pipeline.vertex.request import Options

APIS: Final = ("aiplatform.googleapis.com", "storage.googleapis.com")
DEFAULT_ACCOUNT_API: Final = "compute.googleapis.com"
"""Its default service account runs the steps if no other is named."""
ACT_AS: Final = "iam.serviceAccounts.actAs"
Say = Callable[[str], None]


def check(target: Target, options: "Options", say: Say) -> None:
    """Makes all checks, and says what could not be checked.

    Without a service account, Compute Engine's default account is meant. With ``create_bucket``
    the bucket is made if nothing else is missing.

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
    account, services = options.service_account, []
    lacking = list(_quota_project(target))
    with _optional("whether the APIs are enabled", "serviceusage", target, say) as cures:
        services = _services(target, account, session)
        lacking += _apis(target, account, services)
    with _optional("whether you may run as the service account", "iam", target, say):
        lacking += _account(target, account, session)
    project = run_bucket.Project(_number(target, services), *cures)
    found, faults = _bucket(target, options, project, client, say)
    lacking += faults
    if lacking:
        raise CommandError("\n".join(("nothing was submitted:", *lacking)))
    if not found and options.create_bucket:
        run_bucket.create(client, options.bucket_name, target)
        say(f"made gs://{options.bucket_name} in {target.region}")


@contextlib.contextmanager
def _optional(what: str, service: str, target: Target, say: Say) -> Iterator[list[str]]:
    """Says what could not be found out, unless nothing else could be found out either.

    The list that it gives then has what to do about it, if that is known.
    """
    from google.api_core.exceptions import Forbidden

    cures: list[str] = []
    try:
        with explained(f"find out {what}", target, service=service):
            yield cures
    except CloudError as error:
        cause = unwrapped(error.__cause__)
        if is_credentials(cause):
            raise
        is_hidden = isinstance(cause, Forbidden) and not advice(cause)
        if not is_hidden:
            cures.append(cure_of(cause, target, service=service))
        say(f"not checked: {f'{what}: your account may not look at that' if is_hidden else error}")


def _quota_project(target: Target) -> Iterator[str]:
    from google.oauth2.credentials import Credentials

    # Only a person's own login has no project that its requests are counted against.
    if isinstance(target.credentials, Credentials) and not target.credentials.quota_project_id:
        yield (
            "your login has no quota project: run `gcloud auth application-default "
            f"set-quota-project {target.project}`"
        )


def _services(target: Target, account: str, session: Any) -> list[dict[str, Any]]:
    """The APIs that the run needs, each with its name and state."""
    names = [f"projects/{target.project}/services/{api}" for api in _wanted(account)]
    url = f"{endpoint('serviceusage')}/v1/projects/{target.project}/services:batchGet"
    answer = _checked(session.get(url, params={"names": names}, timeout=SECONDS))
    services: list[dict[str, Any]] = answer.json().get("services", [])
    return services


def _wanted(account: str) -> tuple[str, ...]:
    return APIS if account else (*APIS, DEFAULT_ACCOUNT_API)


def _apis(target: Target, account: str, services: list[dict[str, Any]]) -> Iterator[str]:
    on = {one["name"].rsplit("/", 1)[1] for one in services if one.get("state") == "ENABLED"}
    if off := [api for api in _wanted(account) if api not in on]:
        yield (
            f"{', '.join(off)} {'are' if len(off) > 1 else 'is'} not enabled: run "
            f"`gcloud services enable {' '.join(off)} --project {target.project}`"
        )


def _number(target: Target, services: list[dict[str, Any]]) -> str:
    """The project's number, which is in the names of its services; empty if it is not known."""
    numbers = (target.project, *(one["name"].split("/")[1] for one in services))
    return next((number for number in numbers if number.isdecimal()), "")


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
            f"add-iam-policy-binding {account} --project {target.project} "
            f"--member={caller(target.credentials)} --role=roles/iam.serviceAccountUser`"
        )


def _bucket(
    target: Target, options: "Options", project: run_bucket.Project, client: Any, say: Say
) -> tuple[bool, list[str]]:
    """Whether the bucket is there, and what is wrong with it."""
    from google.api_core.exceptions import BadRequest

    name = options.bucket_name
    what = f"whether gs://{name} exists, where it is and who owns it"
    with _optional(what, "storage", target, say) as cures:
        try:
            bucket = client.lookup_bucket(name, timeout=SECONDS, retry=patient())
        except BadRequest as error:
            if run_bucket.PAYS not in str(error):
                raise
            return True, [run_bucket.setting(name, "requester_pays")]
        if bucket:
            return True, [*run_bucket.faults(target, options, project, bucket, say)]
        return False, [] if options.create_bucket else [run_bucket.missing(target, name)]
    return True, [] if options.bucket_owner else [run_bucket.unknown(options, *cures)]


def _checked(answer: Any) -> Any:
    from google.api_core.exceptions import from_http_response

    if not answer.ok:
        raise from_http_response(answer)
    return answer
