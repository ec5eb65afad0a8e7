"""Runs: create, find, read, list and cancel them; and the experiments they are in.

What asks the installation raises ``CloudError`` when it refuses or does not answer.
"""

import datetime
import json
import re
import time
from typing import Any, Final

from pipeline.errors import CloudError, UsageError
from pipeline.kubeflow.calls import call, patient, space, trouble_of
from pipeline.kubeflow.target import Target, page
from pipeline.text import command, iso

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAGE: Final = re.compile(r"(https?://\S+?)/?#/(runs|recurringrun)/details/([0-9a-f-]{36})\b")
LOOKS: Final = 5
"""How often something is looked for whose creation was not answered."""
NOT_DONE: Final = (429, 503)
"""The statuses that say that a request was not carried out and can be sent again."""
ENDED: Final = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
EPOCH: Final = datetime.datetime(1971, 1, 1, tzinfo=datetime.UTC)
"""Earlier times are the installation's zeros: what they are about did not happen yet."""


def address_in(reference: str) -> tuple[str, str]:
    """The host and the id in the address of a page; two empty texts for anything else."""
    found = PAGE.match(reference)
    return (found[1], found[3]) if found else ("", "")


def identify(target: Target, reference: str) -> str:
    """The id of a run, from its id, the address of its page or its name.

    Raises:
        UsageError: There is none of that name, or there are several.
    """
    identity = address_in(reference)[1] or reference
    if ID.fullmatch(identity):
        return identity
    others = f"`{command(f'kubeflow runs {target.flags}')}` lists those that exist"
    named = [one.run_id for one in _listed(target, "run", 100, name=reference)]
    if not named:
        raise UsageError(f"there is no run {reference!r} ({target}); {others}")
    if len(named) > 1:
        raise UsageError(f"several runs are called {reference}: give {', '.join(named)}")
    return str(named[0])


def watch_command(target: Target, name: str) -> str:
    """The command that follows a run."""
    return command(f"kubeflow watch {name} {target.flags}")


def experiment(target: Target, name: str) -> str:
    """The id of an experiment, which is made if it is missing."""
    if found := _listed(target, "experiment", 1, name=name):
        return str(found[0].experiment_id)
    from kfp_server_api import V2beta1Experiment

    doing = f"make the experiment {name}"
    body = V2beta1Experiment(display_name=name, namespace=space(target) or None)
    try:
        made = call(target, "experiment.create_experiment", doing, experiment=body)
        return str(made.experiment_id)
    except CloudError as error:
        # Somebody else made it, or only the answer was lost.
        if trouble_of(error).status != 409 or not (
            found := _listed(target, "experiment", 1, name=name)
        ):
            raise
        return str(found[0].experiment_id)


def create(target: Target, body: Any) -> Any:
    """Creates the run or the recurring run of a request, which is sent once.

    The API would create it twice if it was sent twice. Without an answer, what has its name is
    looked for.
    """
    kind = "run" if hasattr(body, "run_id") else "recurring_run"
    words = kind.replace("_", " ")
    try:
        return call(
            *(target, f"{kind}.create_{kind}", f"create the {words}"),
            retry=patient(repeats=lambda found: found.status in NOT_DONE),
            **{kind: body},
        )
    except CloudError as error:
        if not trouble_of(error).may_be_done:
            raise
        for wait in range(LOOKS):
            time.sleep(min(wait, 2))
            if found := _listed(target, kind, 1, name=body.display_name):
                return found[0]
        lists = "runs" if kind == "run" else "schedules list"
        look = command(f"kubeflow {lists} {target.flags}")
        raise CloudError(
            f"{error}; there is no {words} of its name so far: look with `{look}` "
            "before you submit again"
        ) from error


def get(target: Target, run_id: str, retry: Any = None) -> Any:
    """A run as the installation has it."""
    return call(
        *(target, "run.get_run", "read the run"),
        retry=retry,
        missing=f"there is no run {run_id}; `{command(f'kubeflow runs {target.flags}')}` lists "
        "those that exist",
        run_id=run_id,
    )


def newest(target: Target, count: int, experiment_name: str | None = None) -> list[Any]:
    """The newest runs, the newest first.

    Raises:
        UsageError: There is no such experiment.
    """
    return _listed(target, "run", count, within=experiment_name)


def schedules(target: Target, count: int = 100, name: str = "") -> list[Any]:
    """The recurring runs, the newest first."""
    return _listed(target, "recurring_run", count, name=name)


def cancel(target: Target, run_id: str) -> Any:
    """Cancels a run that has not ended, and returns it as it was before."""
    run = get(target, run_id)
    if run.state not in (*ENDED, "CANCELING"):
        try:
            call(target, "run.terminate_run", "cancel the run", run_id=run_id)
        except CloudError:
            # It may have ended meanwhile, and such a run cannot be cancelled.
            if get(target, run_id).state not in (*ENDED, "CANCELING"):
                raise
    return run


def state(run: Any) -> str:
    """The state of a run in one word: ``running``.

    A cancelled run ends as failed; its history says that it was cancelled.
    """
    name = str(run.state or "PENDING")
    was = [one.state for one in run.state_history or ()]
    if name == "CANCELED" or (name == "FAILED" and "CANCELING" in was):
        return "cancelled"
    return {"CANCELING": "cancelling"}.get(name, name.lower())


def moment(value: datetime.datetime | None) -> datetime.datetime | None:
    """A time of the API; None: it is not set."""
    return value if value and value > EPOCH else None


def seconds(start: datetime.datetime | None, end: datetime.datetime | None) -> float:
    """Seconds from a start to an end, or to now; 0 before the start."""
    if not (begun := moment(start)):
        return 0.0
    until = moment(end) or datetime.datetime.now(tz=datetime.UTC)
    return max(0.0, (until - begun).total_seconds())


def as_json(run: Any, target: Target) -> dict[str, Any]:
    """A run as JSON values; times are UTC, ISO 8601."""
    return {
        "run": run.run_id,
        "name": run.display_name,
        "state": state(run),
        "created": iso(moment(run.created_at)),
        "ended": iso(moment(run.finished_at)),
        "experiment": run.experiment_id,
        "schedule": run.recurring_run_id,
        "page": page(target, "runs", run.run_id),
    }


def _listed(
    target: Target, kind: str, count: int, *, name: str = "", within: str | None = None
) -> list[Any]:
    """The newest of a kind, with a name, or within an experiment."""
    doing = f"list the {kind.replace('_', ' ')}s"
    how: dict[str, Any] = {"namespace": space(target)}
    if within is not None:
        found = _listed(target, "experiment", 1, name=within)
        if not found:
            raise UsageError(f"there is no experiment {within!r} ({target}); correct --experiment")
        how["experiment_id"] = found[0].experiment_id
    if name:
        predicate = {"key": "display_name", "operation": "EQUALS", "string_value": name}
        how["filter"] = json.dumps({"predicates": [predicate]})
    listed: list[Any] = []
    token = ""
    while len(listed) < count:
        size = min(count - len(listed), 20)
        answer = call(
            *(target, f"{kind}.list_{kind}s", doing),
            page_size=size,
            page_token=token,
            sort_by="created_at desc",
            **how,
        )
        listed += getattr(answer, f"{kind}s") or []
        token = answer.next_page_token or ""
        if not token:
            break
    return listed[:count]
