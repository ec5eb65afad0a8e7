"""Runs on Vertex AI, whose artifacts a notebook reads by their addresses."""

from pathlib import Path
from typing import Any, Final

from pipeline.notebook.artifacts import Artifact
from pipeline.notebook.past_run import Outputs, PastRun
from pipeline.notebook.place import place
from pipeline.notebook.steps import step_of
from pipeline.notebook.values import all_typed
from pipeline.runs.record import Task
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from pipeline.vertex.progress import Progress, struct

OF_THE_CLOUD: Final = {"find_champion": ("parent", "Output")}
"""Outputs that only Vertex AI's own registry can use."""


class _Silent:
    """Is told of tasks that are over."""

    def started(self, task: Task) -> None:
        """Nobody watches."""

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Nobody watches."""

    def ended(self, task: Task) -> None:
        """Nobody watches."""


def job_run(
    job: str,
    *,
    project: str | None = None,
    region: str | None = None,
    root: Path | None = None,
) -> PastRun:
    """A job on Vertex AI as a run to read from: its parameters, and its outputs by their URIs.

    Where its registry's model is looked up for an upload here, that is ``find_champion`` to be
    run again: the upload goes to this machine's registry.

    Args:
        job: Its id, as ``fashion-mnist jobs`` shows it, or
            ``projects/…/locations/…/pipelineJobs/…``.
        project: The project; None: as the environment or gcloud's configuration says.
        region: The region; None: likewise.
        root: The folder that holds all that is local; copies of artifacts go there.

    Raises:
        UsageError: It is no name of a job, or nothing names project or region.
        CloudError: There is no such job, or it cannot be read.
    """
    from pipeline.vertex import connection, jobs, sending, target

    own_project, own_region, job_id = jobs.named(job)
    where = target.resolve(own_project or project, own_region or region)
    client = connection.pipelines(where, sending.credentials(where))
    found = jobs.get(client, where, job_id)
    progress = Progress(found, where.project)
    progress.tell(found, _Silent())
    path = place(root).path
    steps: dict[str, Outputs] = {}
    for task in progress.tasks.values():
        if task.outputs:
            steps.setdefault(step_of(task.name), {}).update(_outputs(task, job_id, path))
    return PastRun(job_id, _parameters(found), steps, path)


def _outputs(task: Task, job_id: str, root: Path) -> Outputs:
    unusable = OF_THE_CLOUD.get(step_of(task.name), ())
    return {
        name: Artifact(value.uri, value.metadata, "", job_id, root)
        if hasattr(value, "uri")
        else value
        for name, value in task.outputs.items()
        if name not in unusable
    }


def _parameters(job: Any) -> dict[str, Any]:
    """The job's parameters, defaults among them, in the types of its spec.

    A message has no integers.
    """
    from google.protobuf import json_format

    sent = json_format.MessageToDict(type(job).pb(job).runtime_config)
    spec = struct(job, "pipeline_spec")
    declared = specs.declared(spec)
    values = all_typed(job.name, sent.get("parameterValues", {}), declared)
    return parameters.resolve(spec, values, own={"bucket_uri": ""})
