"""Follows a job until it ends, over whatever the network does in between; and a job as a run."""

import contextlib
import time
import urllib.parse
from collections.abc import Callable
from typing import Any, Final

from pipeline.errors import CommandError, UsageError
from pipeline.runs import signals
from pipeline.runs.record import Artifact, Run, Task
from pipeline.runs.root import DEFAULT_ROOT, Root
from pipeline.runs.table import Table, Watch
from pipeline.specs import parameters
from pipeline.vertex import job as jobs
from pipeline.vertex.job import struct
from pipeline.vertex.outages import outlast
from pipeline.vertex.target import CONSOLE, Target

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


def follow(
    target: Target, job_id: str, watch: Watch, say: Callable[[str], None], every: float
) -> tuple[Any, Run]:
    """Shows a job's steps until it has ended; the job as it ended, and its run.

    It looks every ``every`` seconds. ``say`` gets what is not about a step: that the job waits to
    start, that the service is out of reach, and that it is back.

    Raises:
        CloudError: The job does not exist, it could not be read, or the service stayed out of
            reach.
    """
    job = jobs.get(target, job_id)
    progress = _Progress(job, target)
    if (how := jobs.state(job)) in ("queued", "pending"):
        say(f"{job_id} is {how}: its steps have not started yet")
    with watch(list(progress.table.rows.values())) as progress.table.watcher:
        progress.update(job)
        while jobs.state(job) not in ENDED:
            time.sleep(every)
            job = _look(target, job_id, say)
            progress.update(job)
    return job, _run(job, progress.table, Root(DEFAULT_ROOT))


def run_of(job: Any, target: Target, root: Root) -> Run:
    """A job, as the service has it, as a run with its parameters and the outputs of its steps."""
    progress = _Progress(job, target)
    progress.update(job)
    return _run(job, progress.table, root)


def check(job: Any, target: Target) -> None:
    """Accepts a job that succeeded.

    Raises:
        CommandError: It failed, was cancelled or was paused.
    """
    job_id, how, page = jobs.id_of(job), jobs.state(job), jobs.page(target, jobs.id_of(job))
    cached = "submit it again, and finished steps are answered from the cache"
    if how == "cancelled":
        raise CommandError(f"{job_id} was cancelled; {cached}")
    if how == "paused":
        again = jobs.watch_command(target, job_id)
        raise CommandError(f"{job_id} is paused; resume it on its page {page}, then run `{again}`")
    if how == "failed":
        reasons = [f"{task}: {reason}" for task, reason in failures(job, target).items()]
        reasons = reasons or [job.error.message.strip() or "the service gave no reason"]
        raise CommandError(
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


class _Progress:
    def __init__(self, job: Any, target: Target) -> None:
        self.table = Table(struct(job, "pipeline_spec"))
        self.target = target
        self.notes: dict[str, str] = {}

    def update(self, job: Any) -> None:
        for detail in _details(job):
            name, state = detail.task_name, STATES.get(detail.state.name, "waiting")
            if (row := self.table.row(name)) is None:
                continue
            if state == "failed":
                self._note(row, name, _failure(detail, self.target))
            outputs = _outputs(detail) if state in ("done", "cached") else None
            self.table.update(name, state, jobs.seconds(detail), outputs)
            if state == "running":
                self._note(row, name, _retried(detail))
        if jobs.state(job) in ENDED:
            self.table.settle()

    def _note(self, row: Task, name: str, text: str) -> None:
        if text and self.notes.get(name) != text:
            self.notes[name] = text
            for line in text.splitlines():
                self.table.watcher.said(row, line, transient=False)


def _look(target: Target, job_id: str, say: Callable[[str], None]) -> Any:
    """A job, even if the service is out of reach for a while."""
    return outlast(
        lambda retry: jobs.get(target, job_id, retry),
        *(target, say, "read the job", "the job is still running"),
        again=jobs.watch_command(target, job_id),
    )


def _run(job: Any, table: Table, root: Root) -> Run:
    from google.protobuf import json_format

    spec = struct(job, "pipeline_spec")
    config = json_format.MessageToDict(type(job).pb(job).runtime_config)
    arguments: dict[str, Any] = config.get("parameterValues", {})
    # A job of another version of this project may have had other rules.
    with contextlib.suppress(UsageError):
        arguments = parameters.resolve(spec, arguments, own={"bucket_uri": ""})
    return Run(
        id=jobs.id_of(job),
        directory=root.runs / jobs.id_of(job),
        started=job.start_time or job.create_time,
        seconds=jobs.seconds(job),
        state=ENDED.get(jobs.state(job), "running"),
        error=job.error.message.strip(),
        parameters=parameters.flat(arguments),
        changed=parameters.changed(arguments, spec),
        steps=table.rows,
    )


def _details(job: Any) -> list[Any]:
    return sorted(job.job_detail.task_details, key=lambda detail: detail.task_id)


def _failure(detail: Any, target: Target) -> str:
    """Why a task failed, in its own words, and the address of its log."""
    reason: str = detail.error.message.strip() or "it gave no reason"
    if cause := signals.of_message(reason, detail.task_name):
        reason = f"{reason}\n{cause}"
    executor = detail.executor_detail
    machine = executor.container_detail.main_job or executor.custom_job_detail.job
    if not machine:
        return reason
    query = urllib.parse.quote(f'resource.labels.job_id="{machine.rsplit("/", 1)[1]}"', safe="")
    return f"{reason}\nlog: {CONSOLE}/logs/query;query={query}?project={target.project}"


def _retried(detail: Any) -> str:
    for status in reversed(detail.pipeline_task_status):
        if status.error.message:
            return f"trying again: {status.error.message.strip().splitlines()[0]}"
    return ""


def _outputs(detail: Any) -> dict[str, Any]:
    artifacts = {
        name: Artifact(found.uri, struct(found, "metadata"), found.schema_title)
        for name, listed in detail.outputs.items()
        for found in list(listed.artifacts)[:1]
    }
    metadata = struct(detail.execution, "metadata").items()
    values = {name.partition(":")[2]: value for name, value in metadata if name[:7] == "output:"}
    return {**artifacts, **values}
