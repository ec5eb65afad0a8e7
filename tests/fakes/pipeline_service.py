"""What Vertex AI's PipelineService does, as far as the commands need it."""

import copy
import datetime
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format

from tests.fakes.model_service import LABEL_KEY, LABEL_VALUE, PARENT, Refusal
from tests.fakes.wire import Call, Route

JOB_ID: Final = re.compile("[a-z][-a-z0-9]{0,127}")
NETWORK: Final = re.compile(r"projects/\d+/global/networks/[a-z0-9-]+")
KEY: Final = re.compile("projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (float,),
    "NUMBER_DOUBLE": (float,),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}
"""What a parameter's type is in the JSON of a request; JSON has no integers of its own."""
OVER: Final = ("SUCCEEDED", "FAILED", "CANCELLED")

Change = Callable[[Any], None]


@dataclass
class PipelineService:
    """The jobs of one project and one location.

    Attributes:
        jobs: By id.
        created: The requests for a job that were accepted.
        script: What happens to a job before each look at it.
        on_create: Is given each new job; empty: it stays as it is.
        page_size: Most items of a listing's page.
        lock: Held while a job changes or is sent.
    """

    jobs: dict[str, Any] = field(default_factory=dict)
    created: list[Any] = field(default_factory=list)
    script: list[Change] = field(default_factory=list)
    on_create: Change | None = None
    page_size: int = 100
    lock: Any = field(default_factory=threading.RLock)

    def routes(self) -> list[Route]:
        """What it answers."""
        jobs = f"/v1/{PARENT}/pipelineJobs"
        one = rf"{jobs}/(?P<job>[^/:]+)"
        return [
            (rf"POST {jobs}", "CreatePipelineJob", self.create),
            (rf"GET {jobs}", "ListPipelineJobs", self.list_jobs),
            (rf"GET {one}", "GetPipelineJob", self.get),
            (rf"POST {one}:cancel", "CancelPipelineJob", self.cancel),
        ]

    def create(self, call: Call) -> Any:
        request = call.message(vertex.CreatePipelineJobRequest, "pipelineJob", parent=PARENT)
        check(request)
        with self.lock:
            if request.pipeline_job_id in self.jobs:
                raise Refusal(409, f"PipelineJob {request.pipeline_job_id} already exists.")
            self.created.append(request)
            job = self.add(request.pipeline_job_id, request.pipeline_job)
        if self.on_create:
            self.on_create(job)
        return copy.deepcopy(job)

    def add(self, job_id: str, job: Any) -> Any:
        """Puts a job there, as the service does when it is asked for one."""
        made = vertex.PipelineJob(job)
        made.name = f"{PARENT}/pipelineJobs/{job_id}"
        made.state = vertex.PipelineState.PIPELINE_STATE_PENDING
        made.create_time = made.start_time = now()
        made.job_detail.pipeline_run_context.name = f"{PARENT}/metadataStores/default/contexts/run"
        self.jobs[job_id] = made
        return made

    def get(self, call: Call) -> Any:
        call.message(vertex.GetPipelineJobRequest, name=f"{PARENT}/pipelineJobs/{call.path['job']}")
        with self.lock:
            job = self._job(call)
            if self.script:
                self.script.pop(0)(job)
            return copy.deepcopy(job)

    def list_jobs(self, call: Call) -> Any:
        request = call.message(vertex.ListPipelineJobsRequest, parent=PARENT)
        if request.order_by not in {"", "create_time desc"}:
            raise Refusal(400, f"Invalid order {request.order_by}.")
        with self.lock:
            found = list(reversed(self.jobs.values()))
            start, size = int(request.page_token or 0), request.page_size or self.page_size
            end = start + min(size, self.page_size)
            page = [_masked(job, request.read_mask.paths) for job in found[start:end]]
        token = str(end) if end < len(found) else ""
        return vertex.ListPipelineJobsResponse(pipeline_jobs=page, next_page_token=token)

    def cancel(self, call: Call) -> dict[str, Any]:
        name = f"{PARENT}/pipelineJobs/{call.path['job']}"
        call.message(vertex.CancelPipelineJobRequest, name=name)
        with self.lock:
            job = self._job(call)
            if job.state.name.removeprefix("PIPELINE_STATE_") in OVER:
                raise Refusal(400, "The job is in a final state.")
            end(job, "CANCELLED")
        return {}

    def _job(self, call: Call) -> Any:
        if call.path["job"] not in self.jobs:
            raise Refusal(404, f"PipelineJob {call.path['job']} not found.")
        return self.jobs[call.path["job"]]


def now() -> datetime.datetime:
    """The time, as a message has it."""
    return datetime.datetime.now(tz=datetime.UTC)


def end(job: Any, state: str, message: str = "") -> None:
    """Ends a job in a state."""
    job.state = vertex.PipelineState[f"PIPELINE_STATE_{state}"]
    job.error.code = 9 if message else 0
    job.error.message = message
    if state in OVER:
        job.end_time = now()


def check(request: Any) -> None:
    """Refuses a job that the service would refuse."""
    job = vertex.PipelineJob.pb(request.pipeline_job)
    if request.pipeline_job_id and not JOB_ID.fullmatch(request.pipeline_job_id):
        raise Refusal(400, f"Invalid id {request.pipeline_job_id!r}.")
    for key, value in job.labels.items():
        if not (LABEL_KEY.fullmatch(key) and LABEL_VALUE.fullmatch(value)):
            raise Refusal(400, f"Invalid label {key!r}: {value!r}.")
    if job.network and not NETWORK.fullmatch(job.network):
        raise Refusal(400, f"Invalid network {job.network!r}.")
    if (key := job.encryption_spec.kms_key_name) and not KEY.fullmatch(key):
        raise Refusal(400, f"Invalid key {key!r}.")
    if not job.runtime_config.gcs_output_directory.startswith("gs://"):
        raise Refusal(400, "The pipeline root is not in Cloud Storage.")
    _check_parameters(
        json_format.MessageToDict(job.pipeline_spec),
        json_format.MessageToDict(job.runtime_config).get("parameterValues", {}),
    )


def _check_parameters(spec: dict[str, Any], values: dict[str, Any]) -> None:
    if spec.get("schemaVersion") != "2.1.0":
        raise Refusal(400, "parameterValues need schemaVersion 2.1.0.")
    declared = spec["root"]["inputDefinitions"]["parameters"]
    for name, definition in declared.items():
        if name not in values and not definition.get("isOptional"):
            raise Refusal(400, f"The parameter {name} has no value.")
    for name, value in values.items():
        if name not in declared:
            raise Refusal(400, f"The pipeline has no parameter {name}.")
        kind = declared[name]["parameterType"]
        if type(value) not in TYPES[kind] or (kind == "NUMBER_INTEGER" and value % 1):
            raise Refusal(400, f"The parameter {name} takes {kind}, and not {value!r}.")


def _masked(job: Any, paths: Any) -> Any:
    if not paths:
        return copy.deepcopy(job)
    masked = vertex.PipelineJob()
    for path in paths:
        getattr(vertex.PipelineJob.pb(masked), path)
        setattr(masked, path, getattr(job, path))
    return masked
