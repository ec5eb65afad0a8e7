"""Jobs that a test puts into the service, and what becomes of them."""

from typing import Any, Final

from google.cloud import aiplatform_v1 as vertex

from pipeline.compiler import COMPILED, PIPELINE
from pipeline.specs import spec as specs
from tests.fakes.cloud import Cloud
from tests.fakes.vertex import Change, end, now

JOB: Final = "fashion-mnist-20261124-120000-ab12"
CUSTOM_JOB: Final = "projects/12345/locations/europe-west4/customJobs/99"


def add_job(cloud: Cloud, state: str = "RUNNING", job_id: str = JOB) -> Any:
    spec = specs.load(COMPILED / PIPELINE)
    job = cloud.pipelines.add(job_id, vertex.PipelineJob(pipeline_spec=spec))
    end(job, state)
    return job


def step(name: str, state: str, **fields: Any) -> Change:

    def change(job: Any) -> None:
        details = job.job_detail.task_details
        for detail in details:
            if detail.task_name == name:
                break
        else:
            detail = vertex.PipelineTaskDetail(task_name=name, task_id=len(details) + 1)
            details.append(detail)
            detail = details[-1]
        detail.state = vertex.PipelineTaskDetail.State[state]
        detail.start_time = detail.start_time or now()
        for field, value in fields.items():
            setattr(detail, field, value)

    return change


def ended(state: str, message: str = "") -> Change:
    return lambda job: end(job, state, message)


def together(*changes: Change) -> Change:

    def change(job: Any) -> None:
        for one in changes:
            one(job)

    return change


def failing(name: str, message: str) -> Change:
    return step(
        name,
        "FAILED",
        error={"code": 9, "message": message},
        executor_detail={"container_detail": {"main_job": CUSTOM_JOB}},
    )


def outputs(**artifacts: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a task: URI and metadata by name."""
    return {name: {"artifacts": [artifact]} for name, artifact in artifacts.items()}
