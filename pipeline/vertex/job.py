"""Pipeline jobs: create, read, list and cancel them, and show one in an experiment.

What asks the service raises ``CloudError`` when it refuses or does not answer.
"""

import datetime
import itertools
import json
import operator
import re
from typing import Any, Final

from pipeline.errors import CloudError, UsageError
from pipeline.text import command, iso
from pipeline.vertex.refusals import call, explained
from pipeline.vertex.target import CONSOLE, Target, endpoint, located, patient

JOB_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,127}")
LISTED: Final = ["name", "display_name", "state", "create_time", "start_time", "end_time", "labels"]
"""The fields that a list asks for: a job's spec takes hundreds of kilobytes."""
CONTEXT_SECONDS: Final = 120.0
"""How long the service may take to add a new job to its metadata store."""


def named(reference: str, project: str | None, region: str | None) -> tuple[Target, str]:
    """Where a job is and its id; see ``target.located``.

    Raises:
        UsageError: It is no job, or there is no project or region.
    """
    target, job_id = located(reference, "pipelineJobs", project, region)
    if not JOB_ID.fullmatch(job_id):
        raise UsageError(
            f"{reference!r} is not a job: give its id, as `{command('jobs')}` shows it, its full "
            "name projects/…/locations/…/pipelineJobs/… or the address of its page"
        )
    return target, job_id


def id_of(message: Any) -> str:
    """The id at the end of the full name of a job or a schedule."""
    name: str = message.name
    return name.rsplit("/", 1)[1]


def page(target: Target, job_id: str) -> str:
    """The address of a job's page."""
    place = f"{CONSOLE}/vertex-ai/locations/{target.region}/pipelines/runs/{job_id}"
    return f"{place}?project={target.project}"


def watch_command(target: Target, job_id: str) -> str:
    """The command that follows a job."""
    return command(f"watch {job_id} {target.flags}")


def create(target: Target, request: Any) -> Any:
    """Creates the job of a ``CreatePipelineJobRequest``.

    It is created once: a request that failed in passing is repeated under the same id.
    """
    from google.api_core.exceptions import Conflict

    lost: list[Exception] = []
    retry = patient(on_error=lost.append)
    try:
        return call(
            target, "Pipeline", "create_pipeline_job", "submit the job", retry, request=request
        )
    except CloudError as error:
        if not lost or not isinstance(error.__cause__, Conflict):
            raise
        # An earlier request had arrived, and only its answer was lost.
        return get(target, request.pipeline_job_id)


def get(target: Target, job_id: str, retry: Any = None) -> Any:
    """A job as the service has it; the request is repeated as ``patient()`` does by default."""
    return _call(target, job_id, "get", "read the job", retry)


def newest(target: Target, count: int) -> list[Any]:
    """The newest jobs, the newest first."""
    request = {
        "parent": target.parent,
        "order_by": "create_time desc",
        "page_size": min(count, 100),
        "read_mask": {"paths": LISTED},
    }
    doing = "list the jobs"
    with explained(doing, target):
        pages = call(target, "Pipeline", "list_pipeline_jobs", doing, patient(), request=request)
        return list(itertools.islice(pages, count))


def cancel(target: Target, job_id: str) -> Any:
    """Cancels a job that has not ended, and returns it as it was before."""
    job = get(target, job_id)
    if not job.end_time:
        _call(target, job_id, "cancel", "cancel the job")
    return job


def state(job: Any) -> str:
    """The state of a job in one word: ``running``."""
    name: str = job.state.name
    return name.removeprefix("PIPELINE_STATE_").lower()


def seconds(job_or_task: Any) -> float:
    """Seconds from the start of a job or a task to its end, or to now; 0 before the start."""
    start = job_or_task.start_time or job_or_task.create_time
    if not start:
        return 0.0
    end = job_or_task.end_time or datetime.datetime.now(tz=datetime.UTC)
    return max(0.0, float((end - start).total_seconds()))


def as_json(job: Any, target: Target) -> dict[str, Any]:
    """A job as JSON values; times are UTC, ISO 8601."""
    return {
        "job": id_of(job),
        "name": job.name,
        "state": state(job),
        "created": iso(job.create_time),
        "started": iso(job.start_time),
        "ended": iso(job.end_time),
        "labels": dict(job.labels),
        "page": page(target, id_of(job)),
    }


def struct(message: Any, field: str) -> dict[str, Any]:
    """A ``Struct`` field of a message as a dictionary with sorted keys; empty if it is not set."""
    from google.protobuf import json_format

    content = json_format.MessageToJson(getattr(type(message).pb(message), field), sort_keys=True)
    found: dict[str, Any] = json.loads(content)
    return found


def prepare_experiment(name: str, target: Target) -> str:
    """Finds or makes an experiment, and returns the name of its metadata context."""
    from google.cloud import aiplatform

    aiplatform.init(
        project=target.project,
        location=target.region,
        credentials=target.credentials,
        api_endpoint=endpoint("aiplatform", target.region),
        api_transport="rest",
    )
    with explained(f"prepare the experiment {name}", target):
        found: str = aiplatform.Experiment.get_or_create(name).resource_name
        return found


def add_to_experiment(context: str, target: Target, job_id: str) -> None:
    """Adds a job to the context of an experiment, once the job is in the metadata store."""
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

    looks = Retrying(
        retry=retry_if_result(operator.not_),
        wait=wait_fixed(2),
        stop=stop_after_delay(CONTEXT_SECONDS),
    )
    doing = f"add {job_id} to the experiment (the job is still running)"
    try:
        run = looks(lambda: get(target, job_id).job_detail.pipeline_run_context.name)
    except RetryError as error:
        raise CloudError(
            f"could not {doing}: it was not in the metadata store within "
            f"{CONTEXT_SECONDS:.0f} s; look at {page(target, job_id)}"
        ) from error
    how: dict[str, Any] = {"context": context, "child_contexts": [run]}
    call(target, "Metadata", "add_context_children", doing, patient(), **how)


def _call(target: Target, job_id: str, action: str, doing: str, retry: Any = None) -> Any:
    return call(
        *(target, "Pipeline", f"{action}_pipeline_job", doing, retry or patient()),
        missing=f"there is no job {job_id}; `{command(f'jobs {target.flags}')}` lists those that "
        "exist",
        name=f"{target.parent}/pipelineJobs/{job_id}",
    )
