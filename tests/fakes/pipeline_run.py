"""Runs a job that was submitted, here: the far end of the wire that Vertex AI is."""

import contextlib
import datetime
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format

from pipeline.local import run as local
from pipeline.runs.record import Task
from pipeline.runs.root import Root
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests.fakes.pipeline_service import PipelineService, end, now

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
    """Runs each new job of a service with the local runner, and keeps its state up to date.

    Attributes:
        service: The service whose jobs it runs.
        path: Where bucket, registry and runs are.
        threads: The runs.
    """

    service: PipelineService
    path: Path
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, job: Any) -> None:
        """Begins to run a job."""
        thread = threading.Thread(target=self.run, args=(job,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def run(self, job: Any) -> None:
        """Runs a job to its end."""
        sent = json_format.MessageToDict(vertex.PipelineJob.pb(job))
        path = self.path / "submitted.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(sent["pipelineSpec"]))
        spec = specs.load(path)
        values = typed(sent["runtimeConfig"]["parameterValues"], spec)
        given = parameters.resolve(spec, values)
        job.state = vertex.PipelineState.PIPELINE_STATE_RUNNING
        try:
            with self.following(job, spec) as watch:
                local.run(spec, given, Root(self.path), watch)
        except Exception as error:
            with self.service.lock:
                end(job, "FAILED", str(error))
            raise
        with self.service.lock:
            end(job, "SUCCEEDED")

    @contextlib.contextmanager
    def following(self, job: Any, spec: specs.Spec) -> Iterator[Any]:
        """Gives what tells a job of its tasks; the tasks of a step are told of as one."""
        tasks: list[Task] = []
        names = {row: name for name, row in specs.step_tasks(spec).items()}

        @contextlib.contextmanager
        def watch(all_tasks: list[Task]) -> Iterator[Teller]:
            tasks.extend(all_tasks)
            with self.service.lock:
                for number, task in enumerate(tasks, start=1):
                    detail = vertex.PipelineTaskDetail(task_id=number, task_name=names[task.name])
                    job.job_detail.task_details.append(detail)
            yield Teller(job, self.service.lock, names)

        yield watch
        with self.service.lock:
            for task in tasks:
                bring_up_to_date(job, task, names)


@dataclass
class Teller:
    """Tells a job what its tasks do."""

    job: Any
    lock: Any
    names: dict[str, str]

    def started(self, task: Task) -> None:
        with self.lock:
            bring_up_to_date(self.job, task, self.names)

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """The service tells nothing of what a step writes."""

    def ended(self, task: Task) -> None:
        with self.lock:
            bring_up_to_date(self.job, task, self.names)


def bring_up_to_date(job: Any, task: Task, names: dict[str, str]) -> None:
    """Writes a task's state into the job, as the service has it."""
    for detail in job.job_detail.task_details:
        if detail.task_name == names[task.name]:
            break
    detail.state = vertex.PipelineTaskDetail.State[STATES[task.state]]
    if task.state == "running":
        detail.start_time = now()
    elif task.state != "waiting":
        detail.start_time = now() - datetime.timedelta(seconds=task.seconds)
        detail.end_time = now()
    for name, value in task.outputs.items():
        if hasattr(value, "uri"):
            artifact = vertex.Artifact(uri=value.uri, metadata=value.metadata)
            detail.outputs[name] = vertex.PipelineTaskDetail.ArtifactList(artifacts=[artifact])
        else:
            # A Struct that is not set is none that a value could be put into.
            detail.execution.metadata = {**dict(detail.execution.metadata or {}),
                                         f"output:{name}": value}  # fmt: skip


def typed(values: dict[str, Any], spec: specs.Spec) -> dict[str, Any]:
    """A request's parameters in the types that the spec declares; JSON has no integers."""
    declared = spec["root"]["inputDefinitions"]["parameters"]
    return {name: as_type(value, declared[name]["parameterType"]) for name, value in values.items()}


def as_type(value: Any, kind: str) -> Any:
    """A value of a request in a type that a spec declares."""
    if kind == "NUMBER_INTEGER":
        return int(value)
    if kind == "LIST":
        return [int(x) if isinstance(x, float) and x.is_integer() else x for x in value]
    return value
