"""Runs a submitted job here, as Vertex AI would there."""

import contextlib
import datetime
import threading
from collections.abc import Iterator
from dataclasses import dataclass
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
from tests.pipeline.vertex.jobs import step

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
    """Runs each new job of a service with the local runner, with everything below ``path``."""

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
        # Of all tasks of a step, the job shows one.
        names = {step: task for task, step in specs.step_tasks(spec).items()}
        watcher = Shown(job, self.service.lock, names)
        job.state = vertex.PipelineState.PIPELINE_STATE_RUNNING
        try:
            local.run(spec, arguments, Root(self.path), watcher.watch)
        except Exception as error:
            with self.service.lock:
                end(job, "FAILED", str(error))
            raise
        with self.service.lock:
            end(job, "SUCCEEDED")


@dataclass
class Shown:
    """A watcher that writes each step's state into the job, as the service has it."""

    job: Any
    lock: Any
    names: dict[str, str]

    @contextlib.contextmanager
    def watch(self, tasks: list[Task]) -> Iterator[Self]:
        try:
            yield self
        finally:
            for task in tasks:
                self.ended(task)

    def started(self, task: Task) -> None:
        self.ended(task)

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """The service does not show what a step writes."""

    def ended(self, task: Task) -> None:
        artifacts = {key: value for key, value in task.outputs.items() if hasattr(value, "uri")}
        values = {
            f"output:{key}": value for key, value in task.outputs.items() if key not in artifacts
        }
        outputs = {
            key: {"artifacts": [{"uri": value.uri, "metadata": value.metadata}]}
            for key, value in artifacts.items()
        }
        change = step(
            self.names[task.name],
            STATES[task.state],
            start_time=now() - datetime.timedelta(seconds=task.seconds),
            outputs=outputs,
            execution={"metadata": values},
        )
        with self.lock:
            change(self.job)
