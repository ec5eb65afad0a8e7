"""A pipeline job or a schedule of jobs as Vertex AI is asked for it, and the asking."""

import dataclasses
import datetime
import time
from collections.abc import Mapping
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.specs.machine import Machine
from pipeline.specs.parameters import check_address
from pipeline.specs.spec import Spec
from pipeline.vertex.connection import SECONDS, passing
from pipeline.vertex.target import Target

PREFIX: Final = "fashion-mnist"
"""The folder of the bucket that holds everything."""
PAUSES: Final = (1.0, 4.0)
"""Seconds before a job is asked for again."""


@dataclasses.dataclass(frozen=True)
class Submission:
    """What to run, and as what.

    Attributes:
        target: Project and region.
        job_id: Name of the job, and of a schedule.
        bucket: The bucket's name.
        spec: The compiled pipeline.
        parameters: Values of the pipeline's parameters; the spec has the defaults of the others.
        labels: Labels of the job; Google's upload gives them to the model too.
        service_account: What the steps run as; empty: Compute Engine's default account.
        network: Full name of the network that the steps are in; empty: none.
        key: Full name of the Cloud KMS key that everything is encrypted with; empty: Google's.
        use_cache: Leave the caching as the spec says; else no step is answered from the cache.
    """

    target: Target
    job_id: str
    bucket: str
    spec: Spec
    parameters: Mapping[str, Any]
    labels: Mapping[str, str]
    service_account: str = ""
    network: str = ""
    key: str = ""
    use_cache: bool = True

    @property
    def pipeline_root(self) -> str:
        """Where the steps leave their outputs."""
        return f"{bucket_uri(self.bucket)}/pipeline-root"


def bucket_uri(bucket: str) -> str:
    """The value of the pipeline's parameter ``bucket_uri``."""
    return f"gs://{bucket}/{PREFIX}"


def spec_text(machine: Machine | None, image: str) -> str:
    """The definition compiled with the values of the machine flags."""
    from pipeline import compiler
    from pipeline.definition import fashion_mnist

    if machine is not None:
        return compiler.build_distributed(machine, image)
    return compiler.compile_one(fashion_mnist, image)


def serving_warning(submission: Submission, today: datetime.date) -> str:
    """Why the serving image of the job should not be used much longer; empty without a reason."""
    from pipeline.specs import parameters, serving

    values = parameters.resolve(submission.spec, submission.parameters)
    return serving.warning(values["serving_image"], today)


def job_request(submission: Submission) -> Any:
    """The ``CreatePipelineJobRequest`` for one run."""
    from google.cloud.aiplatform_v1 import CreatePipelineJobRequest

    return CreatePipelineJobRequest(
        parent=submission.target.parent,
        pipeline_job_id=submission.job_id,
        pipeline_job=_job(submission),
    )


def schedule_request(submission: Submission, cron: str, max_runs: int) -> Any:
    """The ``CreateScheduleRequest`` for runs at the times of ``cron``; 0 runs: without end."""
    from google.cloud.aiplatform_v1 import CreatePipelineJobRequest, CreateScheduleRequest, Schedule

    schedule = Schedule(
        display_name=submission.job_id,
        cron=cron,
        max_concurrent_run_count=1,
        # Each run gets an id of its own from the service.
        create_pipeline_job_request=CreatePipelineJobRequest(
            parent=submission.target.parent, pipeline_job=_job(submission)
        ),
    )
    if max_runs:
        schedule.max_run_count = max_runs
    return CreateScheduleRequest(parent=submission.target.parent, schedule=schedule)


def create(client: Any, request: Any) -> Any:
    """Creates the job, once: what failed in passing is asked for again under the same id.

    Args:
        client: A ``PipelineServiceClient``.
        request: A ``CreatePipelineJobRequest``.

    Returns:
        The job as the service has it.
    """
    from google.api_core.exceptions import Conflict

    name = f"{request.parent}/pipelineJobs/{request.pipeline_job_id}"
    for attempt, pause in enumerate((*PAUSES, None)):
        try:
            return client.create_pipeline_job(request, timeout=SECONDS)
        except Conflict:
            if not attempt:
                raise
            # The request before this one had arrived, and only its answer was lost.
            return client.get_pipeline_job(name=name, timeout=SECONDS)
        except Exception as error:
            if pause is None or not passing(error):
                raise
        time.sleep(pause)
    raise AssertionError("unreachable")


def _job(submission: Submission) -> Any:
    from google.cloud.aiplatform_v1 import PipelineJob

    job = PipelineJob(
        display_name=submission.job_id,
        pipeline_spec=submission.spec if submission.use_cache else uncached(submission.spec),
        labels=dict(submission.labels),
        runtime_config={
            "gcs_output_directory": submission.pipeline_root,
            "parameter_values": dict(submission.parameters),
        },
        service_account=submission.service_account,
        network=submission.network,
    )
    if submission.key:
        job.encryption_spec = {"kms_key_name": submission.key}
    return job


def uncached(spec: Spec) -> Spec:
    """The spec whose tasks are none of them answered from the cache."""

    def change(component: Spec) -> Spec:
        if "dag" not in component:
            return component
        tasks = {
            name: {**task, "cachingOptions": {"enableCache": False}}
            for name, task in component["dag"]["tasks"].items()
        }
        return {**component, "dag": {**component["dag"], "tasks": tasks}}

    components = {name: change(component) for name, component in spec["components"].items()}
    return {**spec, "root": change(spec["root"]), "components": components}


def check_source(source: str) -> str:
    """The source, when a step on another machine can read it.

    Raises:
        UsageError: It is a directory of this machine, or an address with credentials.
    """
    check_address(source)
    if source and not source.startswith(("gs://", "http://", "https://")):
        raise UsageError(
            f"source={source}: a step on Vertex AI cannot read a directory of this machine; copy "
            f"it, `gcloud storage cp {source.rstrip('/')}/*.gz gs://BUCKET/source/`, and give "
            "--source gs://BUCKET/source"
        )
    return source
