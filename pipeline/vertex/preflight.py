"""What a run needs, looked at before it is paid for; each lack with the command that mends it."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from pipeline.errors import CloudError, PreflightFailed
from pipeline.vertex.checks import (
    Finding,
    Needs,
    enabled_apis,
    near_bucket,
    quota_project,
    unanswered,
    usable_account,
)
from pipeline.vertex.connection import failures
from pipeline.vertex.refusals import SIGN_IN, explain
from pipeline.vertex.target import Target

CHECKS: Final = (
    ("whether the APIs are enabled", enabled_apis),
    ("whether you may run as the service account", usable_account),
)


def check(needs: Needs, credentials: Any, say: Callable[[str], None]) -> None:
    """Makes all checks.

    Args:
        needs: What the run needs.
        credentials: Those of the environment.
        say: Is told what was made, and what could not be checked.

    Raises:
        CloudError: The credentials are no longer valid.
        PreflightFailed: Something is missing; the text has a line for each.
    """
    refresh(credentials, needs.target)
    findings = list(_findings(needs, credentials))
    for finding in findings:
        if finding.state != "failed":
            say(finding.text if finding.state == "ok" else f"not checked: {finding.text}")
    if lacking := [finding.text for finding in findings if finding.state == "failed"]:
        raise PreflightFailed("\n".join(("nothing was submitted:", *lacking)))


def refresh(credentials: Any, target: Target) -> None:
    """Gets a token, so that a login that has run out is told once and first.

    Raises:
        CloudError: There is no token to be had.
    """
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.auth.transport.requests import Request

    try:
        if not credentials.valid:
            credentials.refresh(Request())
    except TransportError as error:
        raise CloudError(explain(error, "sign in", target)) from error
    except GoogleAuthError as error:
        first = str(error).split("\n", 1)[0]
        raise CloudError(
            f"the credentials are no longer valid; sign in with {SIGN_IN} ({first})"
        ) from error


def _findings(needs: Needs, credentials: Any) -> Iterator[Finding]:
    from google.auth.transport.requests import AuthorizedSession

    session = AuthorizedSession(credentials)
    yield from quota_project(needs.target, credentials)
    for what, look in CHECKS:
        try:
            yield from look(needs, session)
        except failures() as error:
            yield unanswered(error, what, needs.target)
    yield from near_bucket(needs, credentials)
