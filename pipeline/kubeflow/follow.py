"""Follows a run until it ends, over whatever the network does in between."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

from pipeline.errors import CommandError, UsageError
from pipeline.kubeflow import run as runs
from pipeline.kubeflow import sign_in
from pipeline.kubeflow.calls import outlast
from pipeline.kubeflow.target import Target, page
from pipeline.runs.record import Run
from pipeline.runs.root import DEFAULT_ROOT, Root
from pipeline.runs.table import Table, Watch
from pipeline.specs import parameters
from pipeline.specs.spec import Spec

STATES: Final = {
    "PENDING": "running",
    "RUNNING": "running",
    "SUCCEEDED": "done",
    "SKIPPED": "skipped",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
"""The states of a task's node, in the words of a table; without a state it was left out."""
ENDED: Final = {
    "succeeded": "done",
    "skipped": "done",
    "failed": "failed",
    "cancelled": "interrupted",
}
"""The states in which a run does not continue, each with the state of its record."""
LATE: Final = 3
"""How often a run that ended is looked at again: its tasks' states are stored after its own."""
DRIVER: Final = "-driver"
"""Ends the name of the node that prepares a task."""
EXECUTOR: Final = "executor"
"""The name of the node, within a task's own, that runs its container; skipped if cached."""
AT_ONCE: Final = 2.0
"""Seconds within which the node of a cached task ends; a container needs longer to start."""


def follow(
    target: Target, run_id: str, watch: Watch, say: Callable[[str], None], every: float
) -> tuple[Any, Run]:
    """Shows a run's steps until it has ended; the run as it ended, and its record.

    It looks every ``every`` seconds. ``say`` gets what is not about a step: that the run waits to
    start, that the installation is out of reach, and that it is back.

    Raises:
        CloudError: The run does not exist, it could not be read, or the installation stayed out of
            reach.
    """
    run = runs.get(target, run_id)
    progress = _Progress(spec_of(run))
    if runs.state(run) == "pending":
        say(f"{run.display_name} is pending: its steps have not started yet")
    with watch(list(progress.table.rows.values())) as progress.table.watcher:
        progress.update(run)
        while runs.state(run) not in ENDED:
            run = _next(target, run, say, every)
            progress.update(run)
        for _ in range(LATE):
            if not progress.is_late(run):
                break
            run = _next(target, run, say, every)
        progress.update(run, ended=True)
    return run, _record(run, progress.table)


def check(run: Any, target: Target, record: Run) -> None:
    """Accepts a run that succeeded.

    Raises:
        CommandError: It failed or was cancelled.
    """
    how, name = runs.state(run), run.display_name
    cached = "submit it again, and finished steps are answered from the cache"
    if how == "cancelled":
        raise CommandError(f"{name} was cancelled; {cached}")
    if how == "failed":
        failed = [task.name for task in record.steps.values() if task.state == "failed"]
        where = f" in {', '.join(failed)}" if failed else ""
        namespace = target.namespace or sign_in.pod_namespace() or "kubeflow"
        raise CommandError(
            f"{name} failed{where}; fix the cause and {cached}\n"
            f"log: `kubectl -n {namespace} logs -l pipeline/runid={run.run_id} -c main --prefix "
            "--tail 30`\n"
            f"page: {page(target, 'runs', run.run_id)}"
        )


def uploaded(record: Run) -> bool:
    """Whether a run that succeeded has uploaded its model, so that the gate let it pass."""
    step = record.steps.get("upload")
    return step is not None and step.state in ("done", "cached")


def spec_of(run: Any) -> Spec:
    """The pipeline of a run, without the part about its platform.

    Raises:
        CommandError: The run has none in it: it is one of an uploaded pipeline's.
    """
    given = run.pipeline_spec or {}
    spec: Spec = given.get("pipeline_spec") or given
    if not {"root", "components", "deploymentSpec"} <= set(spec):
        raise CommandError(
            f"{run.display_name} runs a pipeline that was uploaded to Kubeflow before, and its "
            "steps cannot be read from the run; look at its page"
        )
    return spec


class _Progress:
    def __init__(self, spec: Spec) -> None:
        self.table = Table(spec)

    def is_late(self, run: Any) -> bool:
        """Whether a step, or what prepares a task, is not said to have ended."""
        return any(
            one.state in ("PENDING", "RUNNING")
            for one in _details(run)
            if one.display_name.endswith(DRIVER) or self.table.row(one.display_name)
        )

    def update(self, run: Any, *, ended: bool = False) -> None:
        details = _details(run)
        nodes = {one.display_name: one for one in details}
        left_out = [
            one for one in details if (one.display_name, one.state) == (EXECUTOR, "SKIPPED")
        ]
        stopped = runs.state(run) in ("cancelling", "cancelled")
        for name in list(nodes):
            task = name.removesuffix(DRIVER)
            if self.table.row(task) is None or (task != name and task in nodes):
                continue
            node, driver = nodes.get(task), nodes.get(f"{task}{DRIVER}")
            state = _state(node, driver, left_out)
            if state == "failed" and stopped:
                state = "cancelled"
            if ended and state == "running":
                # What a run left behind: the run's own state is the one to trust.
                state = "done" if run.state == "SUCCEEDED" else "cancelled"
            begun = getattr(driver or node, "start_time", None)
            until = run.finished_at if ended else None
            end = getattr(node, "end_time", None) if node else None
            self.table.update(task, state, runs.seconds(begun, runs.moment(end) or until))
        if ended:
            self.table.settle()


def _state(node: Any, driver: Any, left_out: list[Any]) -> str:
    """The state of a task, from its own node and from its driver's, which comes before it."""
    if driver is not None and driver.state in ("FAILED", "CANCELED"):
        return STATES[driver.state]
    if node is None:
        return "running"
    state = STATES.get(node.state or "", "waiting")
    start, end = runs.moment(node.start_time), runs.moment(node.end_time)
    if state != "done" or not start or not end or runs.seconds(start, end) > AT_ONCE:
        return state
    at_once = any(start <= one.start_time <= end for one in left_out if one.start_time)
    return "cached" if at_once else state


def _details(run: Any) -> list[Any]:
    found = (run.run_details and run.run_details.task_details) or []
    return sorted(found, key=lambda one: (one.start_time or runs.EPOCH, one.display_name or ""))


def _next(target: Target, run: Any, say: Callable[[str], None], every: float) -> Any:
    """A run some seconds later, even if the installation is out of reach for a while."""
    time.sleep(every)
    return outlast(
        lambda retry: runs.get(target, run.run_id, retry),
        *(target, say, "read the run"),
        again=runs.watch_command(target, run.display_name),
    )


def _record(run: Any, table: Table) -> Run:
    spec = spec_of(run)
    arguments: dict[str, Any] = (run.runtime_config and run.runtime_config.parameters) or {}
    # A run of another version of this project may have had other rules.
    with contextlib.suppress(UsageError):
        arguments = parameters.resolve(spec, arguments)
    return Run(
        id=run.display_name,
        directory=Root(DEFAULT_ROOT).runs / run.display_name,
        started=runs.moment(run.created_at),
        seconds=runs.seconds(run.created_at, run.finished_at),
        state=ENDED.get(runs.state(run), "running"),
        error=(run.error and run.error.message) or "",
        parameters=parameters.flat(arguments),
        changed=parameters.changed(arguments, spec),
        steps=table.rows,
    )
