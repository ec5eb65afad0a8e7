"""What Google's services refuse, each as a sentence that says what to do."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final

from pipeline.errors import CloudError, CommandError
from pipeline.vertex import target as targets
from pipeline.vertex.target import Target

SIGN_IN: Final = "`gcloud auth application-default login`"
SERVICES: Final = {"aiplatform": "Vertex AI", "storage": "Cloud Storage"}
ROLES: Final = {"aiplatform": "roles/aiplatform.user", "storage": "roles/storage.admin"}


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
    import requests
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.protobuf.json_format import ParseError

    name, error = SERVICES[service], unwrapped(error) or error
    cures = {
        requests.Timeout: (
            f"{name} gave no answer within {targets.SECONDS:.0f} s; look at the network and run "
            "again"
        ),
        requests.RequestException: "the connection broke; look at the network and run again",
        TransportError: "the connection broke; look at the network and run again",
        ParseError: "the answer is not the service's; look for a proxy or a login page in between",
        GoogleAuthError: f"no valid credentials; sign in with {SIGN_IN}",
        exceptions.Unauthorized: f"no valid credentials; sign in with {SIGN_IN}",
        exceptions.Forbidden: _permission(error, target, service),
        exceptions.NotFound: missing or "it does not exist; look at project, region and name",
        exceptions.Conflict: "something of that name exists already; run again for a new name",
        exceptions.TooManyRequests: (
            "a quota is used up; run again later, or ask for more at "
            f"https://console.cloud.google.com/iam-admin/quotas?project={target.project}"
        ),
        exceptions.ClientError: "it was refused; correct what the service names",
        exceptions.ServerError: (
            f"{name} failed; run again in some minutes "
            "(https://status.cloud.google.com shows outages)"
        ),
        exceptions.GoogleAPICallError: "run again",
    }
    cure = next((cure for kind, cure in cures.items() if isinstance(error, kind)), "")
    return f"could not {doing} ({target}): {cure}{_said(error)}" if cure else ""


def unwrapped(error: BaseException | None) -> BaseException | None:
    """The error that ended a repeated request, instead of the one that says it was repeated."""
    from google.api_core.exceptions import RetryError

    return error.cause if isinstance(error, RetryError) and error.cause else error


def _permission(error: Any, target: Target, service: str) -> str:
    if getattr(error, "reason", "") == "SERVICE_DISABLED" or "has not been used in" in str(error):
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
    """What the service said, in brackets and on one line."""
    text = str(getattr(error, "message", "") or error).strip().split("\n", 1)[0]
    text = re.sub(r"\bhttps?://\S*/v1/\S*: ", "", text).rstrip(".")
    return f" ({text})" if text else ""
