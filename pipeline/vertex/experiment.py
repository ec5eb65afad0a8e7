"""Shows a job among the runs of an experiment."""

import re
import time
from typing import Any, Final

from pipeline.errors import CloudError, UsageError
from pipeline.vertex import jobs
from pipeline.vertex.connection import SECONDS, endpoint, patient
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
CONTEXT_SECONDS: Final = 120.0
"""How long the service may take to note a new job in its metadata."""
LOOK_SECONDS: Final = 2.0


def check_name(name: str) -> None:
    """Refuses what Vertex AI does not take as an experiment's name.

    Raises:
        UsageError: The name is none.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--experiment {name}: give at most 128 lower-case letters, digits and hyphens"
        )


def prepare(name: str, target: Target, credentials: Any) -> str:
    """Finds or makes an experiment.

    Returns:
        The full name of its metadata context.

    Raises:
        CloudError: It cannot be read or made.
    """
    from google.cloud import aiplatform

    aiplatform.init(
        project=target.project,
        location=target.region,
        credentials=credentials,
        api_endpoint=endpoint("aiplatform", target.region),
        api_transport="rest",
    )
    with explained(f"prepare the experiment {name}", target):
        found: str = aiplatform.Experiment.get_or_create(name).resource_name
        return found


def add(client: Any, metadata: Any, context: str, target: Target, job_id: str) -> None:
    """Adds a job to an experiment, as soon as the service has noted the job in its metadata.

    Args:
        client: A ``PipelineServiceClient``.
        metadata: A ``MetadataServiceClient``.
        context: The experiment's context.
        target: Project and region.
        job_id: The job.

    Raises:
        CloudError: It cannot be added; the job goes on all the same.
    """
    until = time.monotonic() + CONTEXT_SECONDS
    doing = f"add {job_id} to the experiment (it runs all the same)"
    while not (run := _context(client, target, job_id)):
        if time.monotonic() > until:
            raise CloudError(
                f"could not {doing}: the service has not noted it in its metadata within "
                f"{CONTEXT_SECONDS:.0f} s; look at {jobs.page(target, job_id)}"
            )
        time.sleep(LOOK_SECONDS)
    with explained(doing, target):
        metadata.add_context_children(
            context=context, child_contexts=[run], timeout=SECONDS, retry=patient()
        )


def _context(client: Any, target: Target, job_id: str) -> str:
    job = jobs.get(client, target, job_id)
    name: str = job.job_detail.pipeline_run_context.name
    return name
