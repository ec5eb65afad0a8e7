"""What Google's services refuse, each as a sentence that says what to do."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from components.dataset.refusals import advice, is_credentials, refusal, unwrapped
from components.dataset.sign_in import LOGIN, member
from pipeline.errors import CloudError, CommandError
from pipeline.vertex import target as targets
from pipeline.vertex.target import Target

SERVICES: Final = {
    "aiplatform": "Vertex AI",
    "storage": "Cloud Storage",
    "serviceusage": "Service Usage",
    "iam": "IAM",
}
ROLES: Final = {"aiplatform": "roles/aiplatform.user", "storage": "roles/storage.admin"}
ADVICE: Final = {
    r"iam\.serviceAccounts\.actAs|permission to act as": (
        "you may not act as the service account; run `gcloud iam service-accounts "
        "add-iam-policy-binding {account} --project {project} --member={member} "
        "--role=roles/iam.serviceAccountUser`"
    ),
    r"constraints/gcp\.resourceLocations": (
        "your organization allows nothing in {region}; give another --region"
    ),
    "orgPolicyConstraintFailed|constraints/": (
        "a policy of your organization forbids it; ask its administrator about {constraint}"
    ),
    "bucket name is not available": (
        "somebody has a bucket of that name already; give another --bucket, such as "
        "{project}-fashion-mnist"
    ),
    "domain name owned by|domain ownership": (
        "a bucket's name with dots is a domain that you must own; give --bucket a name without dots"
    ),
    "[Mm]odel server": "the container ended, or was never ready; its log says why",
    "have traffic_split": "nothing that is deployed there gets requests; deploy a version",
    "RATE_LIMIT_EXCEEDED|[rR]ateLimitExceeded|HTTP 429": (
        "a quota is used up; run again later, or ask for more at "
        "https://console.cloud.google.com/iam-admin/quotas?project={project}"
    ),
}
"""What to do about what only a command meets, by the same patterns as in the steps."""
OF_QUOTA_PROJECT: Final = (
    *("SERVICE_DISABLED", "BILLING_DISABLED"),
    *("CONSUMER_INVALID", "USER_PROJECT_DENIED"),
)
"""Reasons that can be about the project that a login's requests count against."""


def call(
    target: Target,
    service: str,
    method: str,
    doing: str,
    retry: Any,
    *,
    missing: str = "",
    **how: Any,
) -> Any:
    """Calls a method of one of Google's clients, with a time limit and the arguments ``how``.

    The error says what could not be done with ``doing`` (``submit the job``), and with ``missing``
    that the requested resource does not exist. A request is repeated as ``retry`` says.
    """
    with explained(doing, target, missing=missing):
        send = getattr(target.client(service), method)
        return send(timeout=targets.SECONDS, retry=retry, **how)


@contextlib.contextmanager
def explained(
    doing: str, target: Target, *, service: str = "aiplatform", missing: str = ""
) -> Iterator[None]:
    """Turns what a service refuses within the block into a ``CloudError`` that says what to do."""
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        if sentence := explain(error, doing, target, service=service, missing=missing):
            raise CloudError(sentence) from error
        raise


def explain(
    error: BaseException,
    doing: str,
    target: Target,
    *,
    service: str = "aiplatform",
    missing: str = "",
) -> str:
    """The sentence for an error of Google's clients; empty for any other error."""
    cure = cure_of(error, target, service=service, missing=missing)
    words = refusal(error).words if cure else ""
    return cure and f"could not {doing} ({target}): {cure}" + (f" ({words})" * bool(words))


def cure_of(error: Any, target: Target, *, service: str, missing: str = "") -> str:
    """What to do about an error of Google's clients; empty for any other error."""
    import requests
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.protobuf.json_format import ParseError

    name, error = SERVICES[service], unwrapped(error)
    cures = {
        requests.Timeout: (
            f"{name} gave no answer within {targets.SECONDS:.0f} s; look at the network and run "
            "again"
        ),
        requests.RequestException: "the connection broke; look at the network and run again",
        TransportError: "the connection broke; look at the network and run again",
        ParseError: "the answer is not the service's; look for a proxy or a login page in between",
        GoogleAuthError: "no valid credentials",
        exceptions.NotFound: missing or "it does not exist; look at project, region and name",
        exceptions.Conflict: "something of that name exists already; run again for a new name",
        exceptions.ClientError: "it was refused",
        exceptions.ServerError: (
            f"{name} failed; run again in some minutes "
            "(https://status.cloud.google.com shows outages)"
        ),
        exceptions.GoogleAPICallError: "run again",
    }
    cure = next((cure for kind, cure in cures.items() if isinstance(error, kind)), "")
    return cure and (_advice(error, target, service) or cure)


def caller(credentials: Any) -> str:
    """Whom credentials sign in as, as ``gcloud --member`` takes it."""
    account = getattr(credentials, "service_account_email", "") or ""
    # A machine's own account is not known before it has signed in.
    account = account if "@" in account else ""
    return member(account, getattr(credentials, "info", {}).get("audience", ""))


def _advice(error: Any, target: Target, service: str) -> str:
    """What to do about an error, from the reason that it gives; empty if that is not known."""
    from google.oauth2.credentials import Credentials

    refused, credentials = refusal(error), target.__dict__.get("credentials")
    known = {
        "service": f"{service}.googleapis.com",
        "project": target.project,
        "consumer": target.project,
        "region": target.region,
        "member": caller(credentials),
    }
    cure = advice(error, ADVICE, **known)
    if is_credentials(error):
        return f"no valid credentials; {cure or f'sign in with `{LOGIN}`'}"
    role = ROLES.get(refused.facts.get("permission", "").partition(".")[0])
    if not cure and role:
        return (
            f"you lack a role; run `gcloud projects add-iam-policy-binding {target.project} "
            f"--member={refused.facts.get('member', known['member'])} --role={role}`"
        )
    counted = refused.facts.get("consumer", target.project)
    if (
        refused.reason in OF_QUOTA_PROJECT
        and isinstance(credentials, Credentials)
        and target.project not in (counted, credentials.quota_project_id)
    ):
        return (
            f"your requests count against project {counted}; run `gcloud auth "
            f"application-default set-quota-project {target.project}`, or {cure}"
        )
    return cure
