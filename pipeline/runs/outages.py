"""Looks at what continues on a service by itself, whatever the network does in between."""

from collections.abc import Callable
from typing import Any, Final

from pipeline.errors import CloudError

PATIENCE: Final = 900.0
"""Seconds for which a service may be out of reach."""


def outlast(
    ask: Callable[[Any], Any],
    patient: Callable[[float, Callable[[Exception], None]], Any],
    explain: Callable[[Exception], str],
    say: Callable[[str], None],
    is_missing: Callable[[BaseException | None], bool],
    continues: str,
    *,
    again: str,
) -> Any:
    """The service's answer, even if it is out of reach for a while.

    Args:
        ask: Sends the request, and repeats it as the ``Retry`` that it gets says.
        patient: Makes that ``Retry``, from seconds and from what is called with each error.
        explain: The sentence for an error.
        say: Gets that the service is out of reach, and that it is back.
        is_missing: Whether an error says that what is looked at does not exist.
        continues: What continues without the answer: ``the job is still running``.
        again: The command that follows it again.

    Raises:
        CloudError: What is looked at does not exist, or the service refused or stayed out of reach.
    """
    from google.api_core.exceptions import RetryError

    errors: list[Exception] = []

    def failed(error: Exception) -> None:
        if not errors:
            say(f"{explain(error)}; trying again, and {continues}")
        errors.append(error)

    try:
        answer = ask(patient(PATIENCE, failed))
    except CloudError as error:
        if is_missing(error.__cause__):
            raise
        tired = isinstance(error.__cause__, RetryError)
        gave_up = f"gave up after {PATIENCE:.0f} s, and " if tired else ""
        raise CloudError(f"{error}; {gave_up}{continues}: `{again}` follows it again") from error
    if errors:
        say("the service answers again")
    return answer
