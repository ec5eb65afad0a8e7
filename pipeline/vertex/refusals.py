"""What Google's services refuse, each as a sentence that a person can act on."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final

from pipeline.errors import CloudError, CommandError
from pipeline.vertex.connection import SECONDS, unwrapped
from pipeline.vertex.target import Target

SIGN_IN: Final = "`gcloud auth application-default login`"
SERVICES: Final = {"aiplatform": "Vertex AI", "storage": "Cloud Storage"}
ROLES: Final = {"aiplatform": "roles/aiplatform.user", "storage": "roles/storage.admin"}


@contextlib.contextmanager
def explained(
    doing: str, target: Target, *, service: str = "aiplatform", missing: str = ""
) -> Iterator[None]:
    """Turns what a service refuses within the block into one sentence.

    Args:
        doing: What could not be done: ``submit the job``.
        target: The project and region.
        service: The service that is asked: ``aiplatform`` or ``storage``.
        missing: What to say where the thing that was asked for does not exist.

    Raises:
        CloudError: What was refused, why, and what to do.
    """
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        sentence = explain(unwrapped(error), doing, target, service=service, missing=missing)
        if not sentence:
            raise
        raise CloudError(sentence) from error


def explain(
    error: BaseException,
    doing: str,
    target: Target,
    *,
    service: str = "aiplatform",
    missing: str = "",
) -> str:
    """The sentence for an error of Google's clients; empty for any other error."""
    import requests
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError, TransportError

    could_not, name = f"could not {doing} ({target})", SERVICES[service]
    if isinstance(error, requests.exceptions.Timeout):
        return (
            f"{could_not}: {name} gave no answer within {SECONDS:.0f} s; "
            "look at the network and run again"
        )
    if isinstance(error, (requests.exceptions.RequestException, TransportError)):
        return f"{could_not}: the connection broke; look at the network and run again" + _said(
            error
        )
    if isinstance(error, (GoogleAuthError, exceptions.Unauthorized)):
        return f"{could_not}: no valid credentials; sign in with {SIGN_IN}{_said(error)}"
    if isinstance(error, exceptions.NotFound) and missing:
        return f"{could_not}: {missing}"
    if isinstance(error, exceptions.GoogleAPICallError):
        return f"{could_not}: {_cure(error, target, service)}{_said(error)}"
    return ""


def _cure(error: Any, target: Target, service: str) -> str:
    from google.api_core import exceptions

    if isinstance(error, exceptions.Forbidden):
        return _permission(error, target, service)
    for kind, cure in (
        (exceptions.NotFound, "there is no such thing; look at project, region and name"),
        (exceptions.Conflict, "something of that name exists already; run again for a new name"),
        (
            exceptions.TooManyRequests,
            "a quota is used up; run again later, or ask for more at "
            f"https://console.cloud.google.com/iam-admin/quotas?project={target.project}",
        ),
        (exceptions.ClientError, "it was refused; mend what the service names"),
        (
            exceptions.ServerError,
            f"{SERVICES[service]} failed; run again in some minutes "
            "(https://status.cloud.google.com says how it is)",
        ),
    ):
        if isinstance(error, kind):
            return cure
    return "run again"


def _permission(error: Any, target: Target, service: str) -> str:
    if error.reason == "SERVICE_DISABLED" or "has not been used in project" in str(error):
        api = f"{service}.googleapis.com"
        return f"the API is off; run `gcloud services enable {api} --project {target.project}`"
    if "actAs" in str(error):
        return (
            "you may not act as the service account; run `gcloud iam service-accounts "
            f"add-iam-policy-binding ACCOUNT --project {target.project} --member=user:YOU "
            "--role=roles/iam.serviceAccountUser`"
        )
    return (
        f"you lack a role; run `gcloud projects add-iam-policy-binding {target.project} "
        f"--member=user:YOU --role={ROLES[service]}`"
    )


def _said(error: BaseException) -> str:
    """What the service itself said, in brackets and on one line."""
    text = str(getattr(error, "message", "") or error).strip().split("\n", 1)[0]
    text = re.sub(r"\bhttps?://\S*/v1/\S*: ", "", text).rstrip(".")
    return f" ({text})" if text else ""
