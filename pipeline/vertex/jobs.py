"""Pipeline jobs: their names and pages, one of them, the newest of them, the end of one."""

import itertools
import re
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.program import command
from pipeline.vertex.connection import SECONDS, patient
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target

JOB_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,127}")
FULL_NAME: Final = re.compile(r"projects/([^/]+)/locations/([^/]+)/pipelineJobs/([^/]+)")
CONSOLE: Final = "https://console.cloud.google.com"
SHOWN: Final = (
    "name",
    "display_name",
    "state",
    "create_time",
    "start_time",
    "end_time",
    "labels",
)
"""The fields that a list is asked for: a job's spec has hundreds of kilobytes."""


def named(reference: str) -> tuple[str | None, str | None, str]:
    """Project, region and id of a job that is given by its id or by its full name.

    Raises:
        UsageError: It is neither.
    """
    if found := FULL_NAME.fullmatch(reference):
        return found[1], found[2], found[3]
    if not JOB_ID.fullmatch(reference):
        raise UsageError(
            f"{reference!r} is no job: give its id, as `{command('jobs')}` shows it, or "
            "projects/…/locations/…/pipelineJobs/…"
        )
    return None, None, reference


def resource(target: Target, job_id: str) -> str:
    """The full name of a job."""
    return f"{target.parent}/pipelineJobs/{job_id}"


def page(target: Target, job_id: str) -> str:
    """The address of a job's page."""
    place = f"{CONSOLE}/vertex-ai/locations/{target.region}/pipelines/runs/{job_id}"
    return f"{place}?project={target.project}"


def missing(target: Target, job_id: str) -> str:
    """What to say where there is no such job."""
    return f"there is no job {job_id}; `{command(f'jobs {target.flags}')}` lists those there are"


def get(client: Any, target: Target, job_id: str) -> Any:
    """A job as the service has it.

    Raises:
        CloudError: There is none, or it cannot be read.
    """
    name = resource(target, job_id)
    with explained("read the job", target, missing=missing(target, job_id)):
        return client.get_pipeline_job(name=name, timeout=SECONDS, retry=patient())


def newest(client: Any, target: Target, count: int) -> list[Any]:
    """The newest jobs, the newest first.

    Raises:
        CloudError: They cannot be read.
    """
    request = {
        "parent": target.parent,
        "order_by": "create_time desc",
        "page_size": min(count, 100),
        "read_mask": {"paths": SHOWN},
    }
    with explained("list the jobs", target):
        pages = client.list_pipeline_jobs(request, timeout=SECONDS, retry=patient())
        return list(itertools.islice(pages, count))


def as_json(job: Any, target: Target) -> dict[str, Any]:
    """What a list says of a job, as JSON values; times are UTC, ISO 8601."""
    job_id = job.name.rsplit("/", 1)[1]
    return {
        "job": job_id,
        "name": job.name,
        "state": state(job).lower(),
        "created": _time(job.create_time),
        "started": _time(job.start_time),
        "ended": _time(job.end_time),
        "labels": dict(job.labels),
        "page": page(target, job_id),
    }


def state(job: Any) -> str:
    """The state of a job in one word: ``RUNNING``."""
    name: str = job.state.name
    return name.removeprefix("PIPELINE_STATE_")


def cancel(client: Any, target: Target, job_id: str) -> Any:
    """Asks for the end of a job.

    Returns:
        The job, as it was before.

    Raises:
        CloudError: There is none, or it cannot be stopped.
    """
    job = get(client, target, job_id)
    if not job.end_time:
        with explained("cancel the job", target, missing=missing(target, job_id)):
            client.cancel_pipeline_job(name=job.name, timeout=SECONDS, retry=patient())
    return job


def _time(moment: Any) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
