"""Pipeline jobs: create, read, list and cancel them."""

import itertools
import json
import re
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.text import command
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import SECONDS, Target, patient

JOB_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,127}")
FULL_NAME: Final = re.compile(r"projects/([^/]+)/locations/([^/]+)/pipelineJobs/([^/]+)")
CONSOLE: Final = "https://console.cloud.google.com"
LISTED: Final = ["name", "display_name", "state", "create_time", "start_time", "end_time", "labels"]
"""The fields that a list asks for: a job's spec takes hundreds of kilobytes."""


def named(reference: str) -> tuple[str | None, str | None, str]:
    """Project, region and id of a job from its id or its full name.

    Raises:
        UsageError: It is neither.
    """
    if found := FULL_NAME.fullmatch(reference):
        return found[1], found[2], found[3]
    if not JOB_ID.fullmatch(reference):
        raise UsageError(
            f"{reference!r} is not a job: give its id, as `{command('jobs')}` shows it, or "
            "projects/…/locations/…/pipelineJobs/…"
        )
    return None, None, reference


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
    """Creates a job, once: a request that failed in passing is repeated under the same id.

    Args:
        target: Project and region.
        request: A ``CreatePipelineJobRequest``.

    Raises:
        CloudError: It was refused, or no answer came.
    """
    from google.api_core.exceptions import Conflict

    lost: list[Exception] = []
    retry = patient(on_error=lost.append)
    with explained("submit the job", target):
        try:
            client = target.client("Pipeline")
            return client.create_pipeline_job(request, timeout=SECONDS, retry=retry)
        except Conflict:
            if not lost:
                raise
            # An earlier request had arrived, and only its answer was lost.
            return get(target, request.pipeline_job_id)


def get(target: Target, job_id: str, retry: Any = None) -> Any:
    """A job as the service has it.

    Args:
        target: Project and region.
        job_id: The job.
        retry: How the request is repeated; None: as ``patient()`` does.

    Raises:
        CloudError: It does not exist, or it could not be read.
    """
    name = f"{target.parent}/pipelineJobs/{job_id}"
    with explained("read the job", target, missing=_missing(target, job_id)):
        client = target.client("Pipeline")
        return client.get_pipeline_job(name=name, timeout=SECONDS, retry=retry or patient())


def newest(target: Target, count: int) -> list[Any]:
    """The newest jobs, the newest first.

    Raises:
        CloudError: They could not be read.
    """
    request = {
        "parent": target.parent,
        "order_by": "create_time desc",
        "page_size": min(count, 100),
        "read_mask": {"paths": LISTED},
    }
    with explained("list the jobs", target):
        client = target.client("Pipeline")
        pages = client.list_pipeline_jobs(request, timeout=SECONDS, retry=patient())
        return list(itertools.islice(pages, count))


def cancel(target: Target, job_id: str) -> Any:
    """Cancels a job that has not ended, and returns it as it was before.

    Raises:
        CloudError: It does not exist, or it could not be cancelled.
    """
    job = get(target, job_id)
    if not job.end_time:
        with explained("cancel the job", target, missing=_missing(target, job_id)):
            client = target.client("Pipeline")
            client.cancel_pipeline_job(name=job.name, timeout=SECONDS, retry=patient())
    return job


def state(job: Any) -> str:
    """The state of a job in one word: ``running``."""
    name: str = job.state.name
    return name.removeprefix("PIPELINE_STATE_").lower()


def as_json(job: Any, target: Target) -> dict[str, Any]:
    """A job as JSON values; times are UTC, ISO 8601."""
    times = {"created": job.create_time, "started": job.start_time, "ended": job.end_time}
    return {
        "job": id_of(job),
        "name": job.name,
        "state": state(job),
        **{
            name: time.isoformat(timespec="seconds") if time else None
            for name, time in times.items()
        },
        "labels": dict(job.labels),
        "page": page(target, id_of(job)),
    }


def struct(message: Any, field: str) -> dict[str, Any]:
    """A ``Struct`` field of a message as a dictionary with sorted keys; empty if it is not set."""
    from google.protobuf import json_format

    content = json_format.MessageToJson(getattr(type(message).pb(message), field), sort_keys=True)
    found: dict[str, Any] = json.loads(content)
    return found


def _missing(target: Target, job_id: str) -> str:
    return f"there is no job {job_id}; `{command(f'jobs {target.flags}')}` lists those that exist"
