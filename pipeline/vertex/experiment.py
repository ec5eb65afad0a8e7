"""Shows a job among the runs of an experiment."""

import operator
from typing import Final

from pipeline.errors import CloudError
from pipeline.vertex import job as jobs
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import SECONDS, Target, endpoint, patient

CONTEXT_SECONDS: Final = 120.0
"""How long the service may take to add a new job to its metadata store."""


def prepare(name: str, target: Target) -> str:
    """Finds or makes an experiment, and returns the name of its metadata context.

    Raises:
        CloudError: It could not be read or made.
    """
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


def add(context: str, target: Target, job_id: str) -> None:
    """Adds a job to an experiment, as soon as the job is in the service's metadata store.

    Args:
        context: The experiment's context.
        target: Project and region.
        job_id: The job.

    Raises:
        CloudError: It could not be added; the job runs nevertheless.
    """
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

    looks = Retrying(
        retry=retry_if_result(operator.not_),
        wait=wait_fixed(2),
        stop=stop_after_delay(CONTEXT_SECONDS),
    )
    doing = f"add {job_id} to the experiment (the job is still running)"
    try:
        run = looks(_context, target, job_id)
    except RetryError as error:
        raise CloudError(
            f"could not {doing}: it was not in the metadata store within "
            f"{CONTEXT_SECONDS:.0f} s; look at {jobs.page(target, job_id)}"
        ) from error
    with explained(doing, target):
        target.client("Metadata").add_context_children(
            context=context, child_contexts=[run], timeout=SECONDS, retry=patient()
        )


def _context(target: Target, job_id: str) -> str:
    """The metadata context of a job; empty while the service has not made it."""
    name: str = jobs.get(target, job_id).job_detail.pipeline_run_context.name
    return name
