"""What a job says of its tasks, as the rows of the table that a local run has too."""

import datetime
import json
import urllib.parse
from pathlib import Path
from typing import Any, Final

from pipeline.runs.record import Artifact, Run, Watcher
from pipeline.runs.table import Table
from pipeline.specs import parameters
from pipeline.steps import figure
from pipeline.vertex.jobs import CONSOLE

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
"""Vertex AI's states of a task; it calls one from the cache skipped."""
ENDED: Final = ("done", "cached", "failed", "cancelled")


class Progress:
    """The steps of one job, brought up to date from what the service says.

    Args:
        job: The job; its spec names the tasks.
        project: The project whose logs are linked to.
    """

    def __init__(self, job: Any, project: str) -> None:
        self.table = Table(struct(job, "pipeline_spec"))
        self.tasks = self.table.rows
        self.project = project
        self.notes: dict[str, str] = {}

    def tell(self, job: Any, watcher: Watcher) -> None:
        """Brings the tasks up to date and tells of each that began, retries or ended."""
        self.table.watcher = watcher
        for detail in sorted(job.job_detail.task_details, key=lambda detail: detail.task_id):
            if self.table.row(detail.task_name):
                self._update(detail)

    def _update(self, detail: Any) -> None:
        name, state = detail.task_name, STATES.get(detail.state.name, "waiting")
        took = seconds(detail.start_time or detail.create_time, detail.end_time)
        if state == "failed":
            self._note(name, failure(detail, self.project))
        outputs = self._outputs(detail) if state in ENDED else None
        self.table.update(name, state, took, outputs)
        if state == "running":
            self._note(name, _retried(detail))

    def _note(self, name: str, text: str) -> None:
        row = self.table.row(name)
        if row and text and self.notes.get(name) != text:
            self.notes[name] = text
            for line in text.splitlines():
                self.table.watcher.said(row, line, transient=False)

    def _outputs(self, detail: Any) -> dict[str, Any]:
        row = self.table.row(detail.task_name)
        return _outputs(detail, row.name) if row else {}


def run_of(job: Any, job_id: str, project: str, runs: Path) -> Run:
    """A job as a run.

    Args:
        job: The job, as the service has it.
        job_id: Its id.
        project: The project whose logs are linked to.
        runs: The folder that has a folder for each local run.
    """
    from google.protobuf import json_format

    progress = Progress(job, project)
    progress.tell(job, progress.table.watcher)
    progress.table.settle()
    sent = json_format.MessageToDict(type(job).pb(job).runtime_config)
    spec = struct(job, "pipeline_spec")
    given = sent.get("parameterValues", {})
    arguments = parameters.resolve(spec, given, own={"bucket_uri": ""})
    return Run(
        job_id,
        runs / job_id,
        parameters=parameters.flat(arguments),
        changed=parameters.changed(arguments, spec),
        steps=progress.tasks,
    )


def failed(job: Any) -> list[Any]:
    """Details of the tasks that failed and hold no other task, in the order of their start."""
    details = sorted(job.job_detail.task_details, key=lambda detail: detail.task_id)
    holders = {detail.parent_task_id for detail in details}
    return [one for one in details if one.state.name == "FAILED" and one.task_id not in holders]


def failure(detail: Any, project: str) -> str:
    """Why a task failed, in its own words, and where its log is."""
    reason = detail.error.message.strip() or "it gave no reason"
    link = log_link(detail, project)
    return f"{reason}\nlog: {link}" if link else reason


def log_link(detail: Any, project: str) -> str:
    """The address of a task's log; empty before a machine was asked for."""
    executor = detail.executor_detail
    job = executor.container_detail.main_job or executor.custom_job_detail.job
    if not job:
        return ""
    query = urllib.parse.quote(f'resource.labels.job_id="{job.rsplit("/", 1)[1]}"', safe="")
    return f"{CONSOLE}/logs/query;query={query}?project={project}"


def seconds(start: Any, end: Any) -> float:
    """Seconds between two times of a message, until now where the second is not set."""
    if not start:
        return 0.0
    last = end or datetime.datetime.now(tz=datetime.UTC)
    passed: float = (last - start).total_seconds()
    return max(0.0, passed)


def struct(message: Any, field: str) -> dict[str, Any]:
    """A ``Struct`` field of a message as a dictionary; empty where it is not set.

    Its keys are sorted as those of a compiled file are: a message's are in no order.
    """
    from google.protobuf import json_format

    content = json_format.MessageToJson(getattr(type(message).pb(message), field), sort_keys=True)
    found: dict[str, Any] = json.loads(content)
    return found


def _retried(detail: Any) -> str:
    for status in reversed(detail.pipeline_task_status):
        if status.error.message:
            return f"trying again: {status.error.message.strip().splitlines()[0]}"
    return ""


def _outputs(detail: Any, name: str) -> dict[str, Any]:
    outputs: dict[str, Any] = {
        key: Artifact(found.artifacts[0].uri, struct(found.artifacts[0], "metadata"))
        for key, found in detail.outputs.items()
        if found.artifacts
    }
    for key, value in struct(detail.execution, "metadata").items():
        if key.startswith("output:"):
            outputs[key.removeprefix("output:")] = value
    try:
        figure(name, outputs)
    except (KeyError, TypeError, ValueError):
        # The metadata store may not have it all yet, and the row is no reason to stop watching.
        return {}
    return outputs
