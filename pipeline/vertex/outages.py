"""Looks at what continues on the service by itself, whatever the network does in between."""

from collections.abc import Callable
from typing import Any, Final

from pipeline.errors import CloudError
from pipeline.vertex.refusals import explain
from pipeline.vertex.target import Target, patient

PATIENCE: Final = 900.0
"""Seconds for which the service may be out of reach."""


def outlast(
    ask: Callable[[Any], Any],
    target: Target,
    say: Callable[[str], None],
    doing: str,
    continues: str,
    *,
    again: str,
) -> Any:
    """The service's answer, even if it is out of reach for a while.

    Args:
        ask: Sends the request, and repeats it as the ``Retry`` that it gets says.
        target: Where the request goes.
        say: Gets that the service is out of reach, and that it is back.
        doing: What is done: ``read the job``.
        continues: What continues without the answer: ``the job is still running``.
        again: The command that follows it again.

    Raises:
        CloudError: What is looked at does not exist, or the service refused or stayed out of reach.
    """
    from google.api_core.exceptions import NotFound, RetryError

    errors: list[Exception] = []

    def failed(error: Exception) -> None:
        if not errors:
            say(f"{explain(error, doing, target)}; trying again, and {continues}")
        errors.append(error)

    try:
        answer = ask(patient(PATIENCE, failed))
    except CloudError as error:
        if isinstance(error.__cause__, NotFound):
            raise
        tired = isinstance(error.__cause__, RetryError)
        gave_up = f"gave up after {PATIENCE:.0f} s, and " if tired else ""
        raise CloudError(f"{error}; {gave_up}{continues}: `{again}` follows it again") from error
    if errors:
        say("the service answers again")
    return answer
