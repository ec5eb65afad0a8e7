"""Runs a submitted job here, as Vertex AI would there."""

import contextlib
import datetime
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import yaml
from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format

from pipeline.local import run as local
from pipeline.runs.record import Task
from pipeline.runs.root import Root
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests.fakes.vertex import PipelineService, end, now

STATES: Final = {
    "waiting": "PENDING",
    "running": "RUNNING",
    "done": "SUCCEEDED",
    "cached": "SKIPPED",
    "failed": "FAILED",
    "skipped": "NOT_TRIGGERED",
}


@dataclass
class RunsHere:
    """Runs each new job of a service with the local runner.

    Attributes:
        service: The service whose jobs it runs.
        path: Where bucket, registry and runs are.
    """

    service: PipelineService
    path: Path

    def start(self, job: Any) -> None:
        """Starts to run a job."""
        threading.Thread(target=self.run, args=(job,), daemon=True).start()

    def run(self, job: Any) -> None:
        """Runs a job to its end."""
        sent = json_format.MessageToDict(vertex.PipelineJob.pb(job))
        path = self.path / "submitted.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(sent["pipelineSpec"]))
        spec = specs.load(path)
        arguments = parameters.resolve(spec, sent["runtimeConfig"]["parameterValues"])
        # All tasks of a step are told of as one.
        names = {step: task for task, step in specs.step_tasks(spec).items()}
        told = Told(job, self.service.lock, names)
        job.state = vertex.PipelineState.PIPELINE_STATE_RUNNING
        try:
            local.run(spec, arguments, Root(self.path), told.watch)
        except Exception as error:
            with self.service.lock:
                end(job, "FAILED", str(error))
            raise
        with self.service.lock:
            for task in told.tasks:
                told.update(task)
            end(job, "SUCCEEDED")


@dataclass
class Told:
    """A watcher that writes each step's state into the job, as the service has it."""

    job: Any
    lock: Any
    names: dict[str, str]
    tasks: list[Task] = field(default_factory=list)

    @contextlib.contextmanager
    def watch(self, tasks: list[Task]) -> Iterator[Self]:
        self.tasks = tasks
        with self.lock:
            for number, task in enumerate(tasks, start=1):
                detail = vertex.PipelineTaskDetail(task_id=number, task_name=self.names[task.name])
                self.job.job_detail.task_details.append(detail)
        yield self

    def started(self, task: Task) -> None:
        self.update(task)

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """The service does not show what a step writes."""

    def ended(self, task: Task) -> None:
        self.update(task)

    def update(self, task: Task) -> None:
        with self.lock:
            (detail,) = (
                one
                for one in self.job.job_detail.task_details
                if one.task_name == self.names[task.name]
            )
            detail.state = vertex.PipelineTaskDetail.State[STATES[task.state]]
            if task.state != "waiting":
                detail.start_time = now() - datetime.timedelta(seconds=task.seconds)
            if task.state not in ("waiting", "running"):
                detail.end_time = now()
            for name, value in task.outputs.items():
                if hasattr(value, "uri"):
                    artifact = vertex.Artifact(uri=value.uri, metadata=value.metadata)
                    detail.outputs[name] = vertex.PipelineTaskDetail.ArtifactList(
                        artifacts=[artifact]
                    )
                else:
                    # A Struct that is not set takes no single values.
                    known = dict(detail.execution.metadata or {})
                    detail.execution.metadata = {**known, f"output:{name}": value}
