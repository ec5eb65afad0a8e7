"""Calls of the Kubeflow Pipelines API: a time limit, repeats, and answers that are checked."""

import functools
import json
from collections.abc import Callable
from typing import Any, Final

from pipeline.errors import CloudError, UsageError
from pipeline.kubeflow import sign_in
from pipeline.kubeflow import target as targets
from pipeline.kubeflow.refusals import Trouble, explain, trouble
from pipeline.kubeflow.target import Target
from pipeline.runs import outages

FIELDS: Final = {
    "healthz": ("multi_user", "pipeline_store"),
    "run": ("run_id", "runs"),
    "recurring_run": ("recurring_run_id", "recurringRuns"),
    "experiment": ("experiment_id", "experiments"),
}
"""By the service, fields of which each answer has one, unless it has none at all."""


def call(
    target: Target, method: str, doing: str, *, retry: Any = None, missing: str = "", **how: Any
) -> Any:
    """Calls a method such as ``run.get_run`` with the arguments ``how``.

    Args:
        target: Where.
        method: The service and its method.
        doing: What is done: ``read the run``.
        retry: Repeats the request; None: as ``patient()``.
        missing: What to say if what is asked for does not exist.
        how: The arguments.

    Raises:
        CloudError: The installation refused, or did not answer.
    """
    from google.api_core.exceptions import RetryError

    service, _, action = method.partition(".")
    send = getattr(getattr(target.client, f"{service}s"), f"{service}_service_{action}")

    def ask() -> Any:
        try:
            answer = send(**how, _request_timeout=(targets.SECONDS, targets.SECONDS))
        except Exception as error:
            raise trouble(error, target) from error
        _check(send.__self__.api_client.last_response, service, target)
        return answer

    try:
        return (retry or patient())(ask)()
    except RetryError as error:
        raise CloudError(explain(error.cause, doing, target, missing)) from error
    except Trouble as error:
        raise CloudError(explain(error, doing, target, missing)) from error


@functools.cache
def space(target: Target) -> str:
    """The namespace that requests name; empty where there is one user.

    Raises:
        UsageError: There are several users, and no namespace is given.
        CloudError: As ``call``.
    """
    if not call(target, "healthz.get_healthz", "reach Kubeflow Pipelines").multi_user:
        return ""
    # As the client's `set_user_namespace` left it, or that of this pod.
    left = target.client.get_user_namespace() or sign_in.pod_namespace()
    if not (found := target.namespace or left):
        raise UsageError(
            f"{target.host} has several users: give your --namespace, as in "
            "kubeflow-user-example-com"
        )
    return str(found)


def trouble_of(error: CloudError) -> Trouble:
    """The trouble that an error of ``call`` is about."""
    cause = getattr(error.__cause__, "cause", error.__cause__)
    return cause if isinstance(cause, Trouble) else Trouble(str(error))


def patient(
    seconds: float | None = None,
    on_error: Callable[[Exception], None] | None = None,
    *,
    repeats: Callable[[Trouble], bool] = lambda found: found.passes,
) -> Any:
    """A ``google.api_core.retry.Retry``: which requests are repeated, and for how long.

    ``on_error`` is called with each error after which the request is repeated.
    """
    from google.api_core.retry import Retry

    return Retry(
        lambda error: isinstance(error, Trouble) and repeats(error),
        initial=0.5,
        timeout=seconds or targets.RETRY_SECONDS,
        on_error=on_error,
    )


def outlast(
    ask: Callable[[Any], Any], target: Target, say: Callable[[str], None], doing: str, *, again: str
) -> Any:
    """An answer about a run; also out of reach, the run continues. See ``runs.outages.outlast``."""
    return outages.outlast(
        ask,
        lambda seconds, failed: patient(
            seconds, failed, repeats=lambda found: found.passes or found.away
        ),
        lambda error: explain(error, doing, target),
        say,
        lambda error: isinstance(error, Trouble) and error.status == 404,
        "the run is still running",
        again=again,
    )


def _check(response: Any, service: str, target: Target) -> None:
    """Refuses what only looks like an answer: a login page, or another service's JSON."""
    try:
        content = json.loads(response.data)
    except ValueError:
        if "<html" in response.data[:2000].lower():
            raise Trouble.not_signed_in(target, page=True) from None
        raise Trouble.foreign() from None
    if not isinstance(content, dict) or (content and content.keys().isdisjoint(FIELDS[service])):
        raise Trouble.foreign()
