"""Follows a job until it ends, over whatever the network does in between; and a job as a run."""

import contextlib
import datetime
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pipeline import steps
from pipeline.errors import CloudError, JobFailed, UsageError
from pipeline.runs.record import Artifact, Run, Task, Watcher
from pipeline.runs.root import DEFAULT_ROOT, Root
from pipeline.runs.table import Table
from pipeline.specs import parameters
from pipeline.vertex import job as jobs
from pipeline.vertex.job import struct
from pipeline.vertex.refusals import explain
from pipeline.vertex.target import Target, patient

STATES: Final = {
    "PENDING": "waiting",
    "RUNNING": "running",
    "CANCEL_PENDING": "running",
    "CANCELLING": "running",
    "SUCCEEDED": "done",
    "SKIPPED": "cached",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "NOT_TRIGGERED": "skipped",
}
"""Vertex AI's states of a task; it calls a cached task skipped."""
ENDED: Final = {
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "interrupted",
    "paused": "paused",
}
"""The states in which a job does not continue by itself, each with the state of its run."""
EVERY: Final = 5.0
"""Seconds between two looks at a job."""
PATIENCE: Final = 900.0
"""Seconds for which the service may be out of reach."""

Watch = Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]]


def follow(
    target: Target,
    job_id: str,
    watch: Watch,
    complain: Callable[[str], None],
    *,
    every: float = EVERY,
    patience: float = PATIENCE,
) -> tuple[Any, Run]:
    """Shows a job's steps until it has ended.

    Args:
        target: Project and region.
        job_id: The job.
        watch: Opens what shows the steps while the job lasts.
        complain: Is called when the service is out of reach, and when it is back.
        every: Seconds between two looks.
        patience: Seconds for which the service may be out of reach.

    Returns:
        The job as it ended, and its run.

    Raises:
        CloudError: The job does not exist, it could not be read, or the service stayed out of
            reach.
    """
    job = jobs.get(target, job_id)
    progress = _Progress(job, target)
    with watch(list(progress.table.rows.values())) as progress.table.watcher:
        progress.update(job)
        while jobs.state(job) not in ENDED:
            time.sleep(every)
            job = _look(target, job_id, complain, patience)
            progress.update(job)
        progress.table.settle()
    return job, _run(job, progress.table, Root(DEFAULT_ROOT).runs)


def run_of(job: Any, target: Target, root: Root) -> Run:
    """A job as a run: its parameters, and its steps with their outputs.

    Args:
        job: The job, as the service has it.
        target: Project and region.
        root: The folder of everything local.
    """
    progress = _Progress(job, target)
    progress.update(job)
    if jobs.state(job) in ENDED:
        progress.table.settle()
    return _run(job, progress.table, root.runs)


def check(job: Any, target: Target) -> None:
    """Accepts a job that succeeded.

    Raises:
        JobFailed: It failed, was cancelled or was paused.
    """
    job_id, how = jobs.id_of(job), jobs.state(job)
    cached = "submit it again, and finished steps are answered from the cache"
    page = jobs.page(target, job_id)
    if how == "cancelled":
        raise JobFailed(f"{job_id} was cancelled; {cached}")
    if how == "paused":
        raise JobFailed(
            f"{job_id} is paused; resume it on its page {page}, then run "
            f"`{jobs.watch_command(target, job_id)}`"
        )
    if how == "failed":
        reasons = [f"{task}: {reason}" for task, reason in failures(job, target).items()]
        reasons = reasons or [job.error.message.strip() or "the service gave no reason"]
        raise JobFailed(
            "\n".join((f"{job_id} failed; fix the cause and {cached}", *reasons, f"page: {page}"))
        )


def failures(job: Any, target: Target) -> dict[str, str]:
    """Why tasks failed, with the addresses of their logs, by the task's name.

    Tasks that contain other tasks are left out.
    """
    holders = {detail.parent_task_id for detail in job.job_detail.task_details}
    return {
        detail.task_name: _failure(detail, target)
        for detail in _details(job)
        if detail.state.name == "FAILED" and detail.task_id not in holders
    }


def seconds(job_or_detail: Any) -> float:
    """Seconds from the start of a job or a task to its end, or to now; 0 before the start."""
    start = job_or_detail.start_time or job_or_detail.create_time
    if not start:
        return 0.0
    end = job_or_detail.end_time or datetime.datetime.now(tz=datetime.UTC)
    passed: float = (end - start).total_seconds()
    return max(0.0, passed)


class _Progress:
    """The table of a job, updated from what the service says."""

    def __init__(self, job: Any, target: Target) -> None:
        self.table = Table(struct(job, "pipeline_spec"))
        self.target = target
        self.notes: dict[str, str] = {}

    def update(self, job: Any) -> None:
        for detail in _details(job):
            row = self.table.row(detail.task_name)
            if row is None:
                continue
            name, state = detail.task_name, STATES.get(detail.state.name, "waiting")
            if state == "failed":
                self._note(row, name, _failure(detail, self.target))
            ended = state in ("done", "cached")
            outputs = _outputs(detail, row.name) if ended else None
            self.table.update(name, state, seconds(detail), outputs)
            if state == "running":
                self._note(row, name, _retried(detail))

    def _note(self, row: Task, name: str, text: str) -> None:
        if text and self.notes.get(name) != text:
            self.notes[name] = text
            for line in text.splitlines():
                self.table.watcher.said(row, line, transient=False)


def _look(target: Target, job_id: str, complain: Callable[[str], None], patience: float) -> Any:
    """A job, even if the service is out of reach for a while."""
    from google.api_core.exceptions import RetryError

    errors: list[Exception] = []

    def failed(error: Exception) -> None:
        if not errors:
            why = explain(error, "read the job", target)
            complain(f"{why}; trying again, and the job is still running")
        errors.append(error)

    try:
        job = jobs.get(target, job_id, patient(patience, failed))
    except CloudError as error:
        if not isinstance(error.__cause__, RetryError):
            raise
        raise CloudError(
            f"{error}; gave up after {patience:.0f} s, and the job is still running: "
            f"`{jobs.watch_command(target, job_id)}` follows it again"
        ) from error
    if errors:
        complain("the service answers again")
    return job


def _run(job: Any, table: Table, runs: Path) -> Run:
    spec = struct(job, "pipeline_spec")
    arguments = _arguments(job, spec)
    return Run(
        id=jobs.id_of(job),
        directory=runs / jobs.id_of(job),
        started=job.start_time or job.create_time,
        seconds=seconds(job),
        state=ENDED.get(jobs.state(job), "running"),
        error=job.error.message.strip(),
        parameters=parameters.flat(arguments),
        changed=parameters.changed(arguments, spec),
        steps=table.rows,
    )


def _arguments(job: Any, spec: dict[str, Any]) -> dict[str, Any]:
    """The job's arguments, including defaults, in the types of its spec."""
    from google.protobuf import json_format

    config = json_format.MessageToDict(type(job).pb(job).runtime_config)
    sent: dict[str, Any] = config.get("parameterValues", {})
    try:
        return parameters.resolve(spec, sent, own={"bucket_uri": ""})
    except UsageError:
        # The job of another version of this project, whose rules were others.
        return sent


def _details(job: Any) -> list[Any]:
    return sorted(job.job_detail.task_details, key=lambda detail: detail.task_id)


def _failure(detail: Any, target: Target) -> str:
    """Why a task failed, in its own words, and the address of its log."""
    reason: str = detail.error.message.strip() or "it gave no reason"
    executor = detail.executor_detail
    machine = executor.container_detail.main_job or executor.custom_job_detail.job
    if not machine:
        return reason
    query = urllib.parse.quote(f'resource.labels.job_id="{machine.rsplit("/", 1)[1]}"', safe="")
    return f"{reason}\nlog: {jobs.CONSOLE}/logs/query;query={query}?project={target.project}"


def _retried(detail: Any) -> str:
    for status in reversed(detail.pipeline_task_status):
        if status.error.message:
            return f"trying again: {status.error.message.strip().splitlines()[0]}"
    return ""


def _artifact(artifact: Any) -> Artifact:
    return Artifact(artifact.uri, struct(artifact, "metadata"), artifact.schema_title)


def _outputs(detail: Any, step: str) -> dict[str, Any]:
    outputs: dict[str, Any] = {
        key: _artifact(found.artifacts[0])
        for key, found in detail.outputs.items()
        if found.artifacts
    }
    for key, value in struct(detail.execution, "metadata").items():
        if key.startswith("output:"):
            outputs[key.removeprefix("output:")] = value
    try:
        steps.figure(step, outputs)
    except (KeyError, TypeError, ValueError):
        # The metadata store may be incomplete, which is no reason to stop watching.
        return {}
    return outputs
