"""Why one of Google's services refuses, by the reason that it gives, and what to do about it."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from components.dataset.redaction import one_line
from components.dataset.sign_in import ACT_FOR, default_file, member, sign_in

ADVICE: Final = {
    "SERVICE_DISABLED|accessNotConfigured": (
        "enable the API with `gcloud services enable {service} --project {consumer}`, and run "
        "again some minutes later"
    ),
    r"USER_PROJECT_DENIED|serviceusage\.services\.use|serProjectAccessDenied": (
        "let the account use the quota project with `gcloud projects add-iam-policy-binding "
        "{consumer} --member={member} --role=roles/serviceusage.serviceUsageConsumer`"
    ),
    "CONSUMER_INVALID|serProjectInvalid": (
        "there is no project {consumer}: give an id that `gcloud projects list` shows"
    ),
    "BILLING_DISABLED|accountDisabled|serProjectAccountProblem": (
        "link the project to an open billing account at "
        "https://console.cloud.google.com/billing/projects"
    ),
    "SECURITY_POLICY_VIOLATED|vpcServiceControls": (
        "ask the administrator of the VPC Service Controls perimeter to allow it; the audit log "
        "has it under {uid}"
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficientPermissions": (
        "use credentials with the scope https://www.googleapis.com/auth/cloud-platform"
    ),
    "retentionPolicyNotMet": (
        "use a bucket without a retention policy, or remove the policy, unless it is locked, with "
        "`gcloud storage buckets update gs://{bucket} --clear-retention-period`"
    ),
    r"objectUnderActiveHold|under active \S+ hold": (
        "release the hold with `gcloud storage objects update {uri} --no-event-based-hold "
        "--no-temporary-hold`, or use another bucket"
    ),
    "serProjectMissing|requester pays": (
        "turn requester pays off with `gcloud storage buckets update gs://{bucket} "
        "--no-requester-pays`, or use another bucket"
    ),
    "cloudKmsDisabledKey|KMS key.* disabled|is not enabled, current state": (
        "enable the key's version, or give the bucket another default key"
    ),
    "denied on Cloud KMS key": (
        "let Cloud Storage use the key with `gcloud storage service-agent --authorize-cmek={key}` "
        "in the bucket's project"
    ),
    "RATE_LIMIT_EXCEEDED|[rR]ateLimitExceeded|HTTP 429": "run again in some minutes",
    r"iam\.serviceAccounts\.getAccessToken": (
        "let your credentials act for {account} with `gcloud iam service-accounts "
        "add-iam-policy-binding {account} --member={member} "
        "--role={role}`"
    ),
    "Invalid JWT Signature": (
        "make a new key with `gcloud iam service-accounts keys create {path} "
        "--iam-account={account}`"
    ),
    "in a reasonable timeframe": "set this machine's clock",
}
"""What to do, by a pattern of the reason and, where the reason says too little, of the words."""
FACTS: Final = (
    r"(?:in|on|use|resource) project #?(?P<consumer>[\w:-]+(?:\.[\w:-]+)*)",
    r"(?:not have|Permission) '?(?P<permission>[a-z]+(?:\.\w+){2,})",
    r"(?P<caller>principal\S+|[^\s@]+@[\w.-]+) does not have",
    r"service.account:? (?P<account>[^\s@]+@[\w.-]*\w)",
    r"UniqueIdentifier: (?P<uid>[\w-]+)",
    r"(?P<constraint>constraints/[\w.]+)",
    r"(?P<key>projects/[^\s/]+/locations/[^\s/]+/keyRings/[^\s/]+/cryptoKeys/[\w-]+)",
    r"/storage/v1/b/(?P<bucket>[^\s/?]+)",
    r"[Oo]bject '(?P<object>(?P<bucket>[^\s/']+)/[^']+)'",
)
"""What a service's words name, and the address that was asked."""


class Refusal(NamedTuple):
    """What the error of one of Google's clients says.

    Attributes:
        code: The HTTP status; 0 if the error is of no service, or of one that signs in.
        reason: ErrorInfo's or Cloud Storage's; empty if there is none.
        words: The message on one line.
        facts: The metadata of the ErrorInfo, and what the words name.
    """

    code: int
    reason: str
    words: str
    facts: dict[str, str]


def unwrapped(error: Any) -> Any:
    """The error that ended a repeated request, instead of the one that says it was repeated."""
    from google.api_core.exceptions import RetryError

    return error.cause if isinstance(error, RetryError) and error.cause else error


def is_credentials(error: Any) -> bool:
    """Whether the credentials are missing or refused, rather than what they ask for."""
    from google.auth.exceptions import GoogleAuthError, TransportError

    error = unwrapped(error)
    is_auth = isinstance(error, GoogleAuthError) and not isinstance(error, TransportError)
    return is_auth or getattr(error, "code", 0) == 401


def refusal(error: Any) -> Refusal:
    """What an error says, whichever client raised it."""
    error = unwrapped(error)
    said = _said(error)
    typed = (one for one in said.get("details", ()) if one.get("@type", "").endswith("ErrorInfo"))
    info: dict[str, Any] = next(typed, {})
    own = error
    while own.args and isinstance(own.args[0], Exception):
        own = own.args[0]
    # A client that signs in has a text and an answer as its arguments.
    own = own.args[0] if len(own.args) > 1 and isinstance(own.args[0], str) else own
    text = str(getattr(error, "message", "") or own).strip()
    asked = re.match(r"(?:[A-Z]+ https?://\S+: )?", text)
    address = asked[0] if asked else ""
    words = one_line(said.get("message") or text.removeprefix(address), 500).rstrip(".")
    facts: dict[str, str] = {}
    for found in (re.search(fact, f"{address}{words}") for fact in FACTS):
        facts |= found.groupdict() if found else {}
    if "object" in facts:
        facts["uri"] = f"gs://{facts['object']}"
    if "caller" in facts:
        facts["member"] = member(facts["caller"])
    facts |= info.get("metadata", {})
    if "consumer" in facts:
        facts["consumer"] = facts["consumer"].removeprefix("projects/")
    reasons = (one.get("reason", "") for one in (info, *said.get("errors", ())))
    code = getattr(error, "code", 0) or said.get("code", 0)
    return Refusal(code, next(filter(None, reasons), ""), words, facts)


def _said(error: Any) -> dict[str, Any]:
    """The service's own description of an error; empty if it gave none."""
    # Clients for uploads keep only the answer, those that sign in only its body.
    for given in (getattr(getattr(error, "response", None), "text", None), *error.args[1:2]):
        with suppress(ValueError):
            content = json.loads(given) if isinstance(given, str) else given
            if isinstance(content, dict) and isinstance(content.get("error"), dict):
                return dict(content["error"])
    if not getattr(error, "reason", ""):
        return {}
    info = {"@type": "ErrorInfo", "reason": error.reason, "metadata": dict(error.metadata or {})}
    return {"message": error.message, "details": [info]}


def advice(error: Any, first: Mapping[str, str] = ADVICE, **known: str) -> str:
    """What to do about an error, from the reason that it gives; empty if that is not known.

    Advice in ``first`` wins over the other. ``known`` are facts that the error need not name:
    ``service``, ``consumer`` (a project), ``member``, ``bucket`` and ``uri``.
    """
    refused = refusal(error)
    text = f"{refused.reason} HTTP {refused.code}: {refused.words}"
    rows = (*first.items(), *ADVICE.items())
    found = next((one for key, one in rows if re.search(key, text)), "")
    unnamed = {"consumer": "PROJECT", "uid": "the message's identifier", "role": ACT_FOR}
    facts = _Facts(unnamed | known)
    if is_credentials(error):
        kind, origin = default_file()
        facts |= origin
        found = sign_in(unwrapped(error), refused.code, kind, found)
    facts |= refused.facts
    return found.format_map(facts)


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.upper()
