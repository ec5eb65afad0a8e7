"""What Vertex AI's services do, as far as the project needs them; what they refuse is refused."""

import copy
import datetime
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from google.cloud import aiplatform_v1 as vertex

from tests.fakes.wire import NUMBERED, PARENT, Call, Fault, Refusal, Route, Wire, as_json, serve

ALIAS: Final = re.compile("[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
"""The documented rule of ``Model.version_aliases``."""
LABEL_KEY: Final = re.compile("[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE: Final = re.compile("[a-z0-9_-]{0,63}")
JOB_ID: Final = re.compile("[a-z][-a-z0-9]{0,127}")
NETWORK: Final = re.compile(r"projects/\d+/global/networks/[a-z0-9-]+")
KEY: Final = re.compile("projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
OVER: Final = ("SUCCEEDED", "FAILED", "CANCELLED")
STORE: Final = f"{PARENT}/metadataStores/default"

Change = Callable[[Any], None]


@dataclass
class ModelService:
    """A registry of one project and one location; ``filters``: a listing honours its filter."""

    versions: list[Any] = field(default_factory=list)
    uploads: list[Any] = field(default_factory=list)
    page_size: int = 100
    filters: bool = True
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""
    wire: Wire = field(init=False)

    @property
    def requests(self) -> list[Call]:
        return self.wire.calls

    def fail(self, method: str, status: int, *, reason: str = "", times: int = 1) -> None:
        self.wire.fail(method, Fault(status, reason, message=f"{method} was refused.\nNo."), times)

    def routes(self) -> list[Route]:
        models = f"/v1/{PARENT}/models"
        one = rf"{models}/(?P<model>\d+)"
        operation = rf"/(v1|ui)/(?P<operation>{PARENT}/models/\d+/operations/\d+)"
        return [
            (rf"GET {models}", "ListModels", self.list_models),
            (rf"GET {one}:listVersions", "ListModelVersions", self.list_versions),
            (rf"GET {one}(@(?P<version>[^/]+))?", "GetModel", self.get),
            (rf"POST {models}:upload", "UploadModel", self.upload),
            (rf"GET {operation}", "GetOperation", self.operation),
        ]

    def add(self, model: Any, parent: str = "") -> Any:
        """Adds a version to the model ``parent``, or the first version of a new model."""
        before = [known for known in self.versions if known.name == parent]
        if parent and not before:
            raise Refusal(404, f"{parent} does not exist.")
        version = vertex.Model(model)
        version.name = parent or f"{PARENT}/models/{1000 + len(self.versions)}"
        version.version_id = str(len(before) + 1)
        if not before and "default" not in version.version_aliases:
            version.version_aliases.append("default")
        for known in before:
            kept = [a for a in known.version_aliases if a not in version.version_aliases]
            known.version_aliases = kept
        self.versions.append(version)
        return version

    def list_models(self, call: Call) -> Any:
        request = call.message(vertex.ListModelsRequest, parent=PARENT)
        wanted = re.fullmatch(r'display_name="([^"]*)"', request.filter)
        if wanted is None:
            raise Refusal(400, f"Invalid filter {request.filter}.")
        found = [v for v in self.versions if "default" in v.version_aliases]
        found = [v for v in found if v.display_name == wanted[1] or not self.filters]
        page, token = paged(found, request, self.page_size)
        return vertex.ListModelsResponse(models=page, next_page_token=token)

    def list_versions(self, call: Call) -> Any:
        name = f"{PARENT}/models/{call.path['model']}"
        request = call.message(vertex.ListModelVersionsRequest, name=name)
        page, token = paged(self._of(call), request, self.page_size)
        return vertex.ListModelVersionsResponse(models=page, next_page_token=token)

    def get(self, call: Call) -> Any:
        reference = call.path["version"] or "default"
        for version in self._of(call):
            if reference == version.version_id or reference in version.version_aliases:
                return version
        raise Refusal(404, f"{call.line} does not exist.")

    def upload(self, call: Call) -> dict[str, Any]:
        request = call.message(vertex.UploadModelRequest, parent=PARENT)
        model = request.model
        if not 1 <= len(model.display_name) <= 128:
            raise Refusal(400, f"Invalid display name {model.display_name!r}.")
        for alias in model.version_aliases:
            if not ALIAS.fullmatch(alias):
                raise Refusal(400, f"Invalid alias {alias!r}.")
        check_labels(model.labels)
        version = self.add(model, request.parent_model)
        self.uploads.append(request)
        name = f"{version.name}/operations/{len(self.operations) + 1}"
        done = vertex.UploadModelResponse(model=version.name, model_version_id=version.version_id)
        self.operations[name] = {"name": name, "done": True, "response": as_json(done)}
        return {"name": name}

    def operation(self, call: Call) -> dict[str, Any]:
        return self.operations[call.path["operation"]]

    def _of(self, call: Call) -> list[Any]:
        name = f"{PARENT}/models/{call.path['model']}"
        found = [version for version in self.versions if version.name == name]
        if not found:
            raise Refusal(404, f"{name} does not exist.")
        return found


@dataclass
class PipelineService:
    """The jobs of one project and one location, by id.

    Attributes:
        created: The requests for a job that were accepted.
        script: What happens to a job before each look at it.
        on_create: Is called with each new job; None: it stays as it is.
        lock: Held while a job changes or is sent.
    """

    jobs: dict[str, Any] = field(default_factory=dict)
    created: list[Any] = field(default_factory=list)
    script: list[Change] = field(default_factory=list)
    on_create: Change | None = None
    page_size: int = 100
    lock: Any = field(default_factory=threading.RLock)

    def routes(self) -> list[Route]:
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
        check_job(request)
        with self.lock:
            if request.pipeline_job_id in self.jobs:
                raise Refusal(409, f"PipelineJob {request.pipeline_job_id} already exists.")
            self.created.append(request)
            job = self.add(request.pipeline_job_id, request.pipeline_job)
        if self.on_create:
            self.on_create(job)
        return copy.deepcopy(job)

    def add(self, job_id: str, job: Any) -> Any:
        made = vertex.PipelineJob(job)
        made.name = f"{NUMBERED}/pipelineJobs/{job_id}"
        made.state = vertex.PipelineState.PIPELINE_STATE_PENDING
        made.create_time = made.start_time = now()
        made.job_detail.pipeline_run_context.name = f"{STORE}/contexts/run"
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
            jobs, token = paged(list(reversed(self.jobs.values())), request, self.page_size)
            page = [_masked(job, request.read_mask.paths) for job in jobs]
        return vertex.ListPipelineJobsResponse(pipeline_jobs=page, next_page_token=token)

    def cancel(self, call: Call) -> dict[str, Any]:
        name = f"{PARENT}/pipelineJobs/{call.path['job']}"
        call.message(vertex.CancelPipelineJobRequest, name=name)
        with self.lock:
            end(self._job(call), "CANCELLED")
        return {}

    def _job(self, call: Call) -> Any:
        if call.path["job"] not in self.jobs:
            raise Refusal(404, f"PipelineJob {call.path['job']} not found.")
        return self.jobs[call.path["job"]]


@dataclass
class ScheduleService:
    """The schedules of one project and one location, by number."""

    schedules: dict[str, Any] = field(default_factory=dict)
    created: list[Any] = field(default_factory=list)

    def routes(self) -> list[Route]:
        schedules = f"/v1/{PARENT}/schedules"
        one = rf"{schedules}/(?P<schedule>\d+)"
        operation = rf"/(?:v1|ui)/(?P<operation>{PARENT}/schedules/\d+/operations/1)"
        return [
            (rf"POST {schedules}", "CreateSchedule", self.create),
            (rf"GET {schedules}", "ListSchedules", self.list_schedules),
            (rf"POST {one}:pause", "PauseSchedule", self.change),
            (rf"POST {one}:resume", "ResumeSchedule", self.change),
            (rf"DELETE {one}", "DeleteSchedule", self.change),
            (rf"GET {operation}", "GetOperation", self.operation),
        ]

    def create(self, call: Call) -> Any:
        request = call.message(vertex.CreateScheduleRequest, "schedule", parent=PARENT)
        schedule = vertex.Schedule(request.schedule)
        if not schedule.cron or not schedule.display_name:
            raise Refusal(400, "A schedule needs a name and a time.")
        if schedule.max_concurrent_run_count < 1:
            raise Refusal(400, "max_concurrent_run_count must be positive.")
        if schedule.create_pipeline_job_request.parent != PARENT:
            raise Refusal(400, "The job and its schedule have different parents.")
        check_job(schedule.create_pipeline_job_request)
        number = str(4711 + len(self.created))
        schedule.name = f"{NUMBERED}/schedules/{number}"
        schedule.state = vertex.Schedule.State.ACTIVE
        schedule.create_time = schedule.next_run_time = now()
        self.created.append(request)
        self.schedules[number] = schedule
        return schedule

    def list_schedules(self, call: Call) -> Any:
        call.message(vertex.ListSchedulesRequest, parent=PARENT)
        found = list(reversed(self.schedules.values()))
        return vertex.ListSchedulesResponse(schedules=copy.deepcopy(found))

    def change(self, call: Call) -> dict[str, Any]:
        action, number = call.method.removesuffix("Schedule"), call.path["schedule"]
        name = f"{PARENT}/schedules/{number}"
        call.message(getattr(vertex, f"{call.method}Request"), name=name)
        if number not in self.schedules:
            raise Refusal(404, f"Schedule {number} not found.")
        if action == "Delete":
            del self.schedules[number]
            return {"name": f"{name}/operations/1"}
        states = vertex.Schedule.State
        state = states.PAUSED if action == "Pause" else states.ACTIVE
        self.schedules[number].state = state
        return {}

    def operation(self, call: Call) -> dict[str, Any]:
        empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        return {"name": call.path["operation"], "done": True, "response": empty}


@dataclass
class MetadataService:
    """The default store: contexts by id, and the names of those that were put under each."""

    contexts: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        one = rf"/v1/{STORE}/contexts/(?P<context>[^/:]+)"
        return [
            (rf"GET /v1/{STORE}", "GetMetadataStore", lambda _: vertex.MetadataStore(name=STORE)),
            (rf"POST /v1/{STORE}/contexts", "CreateContext", self.create),
            (rf"GET {one}", "GetContext", self.get),
            (rf"POST {one}:addContextChildren", "AddContextChildren", self.add_children),
        ]

    def create(self, call: Call) -> Any:
        request = call.message(vertex.CreateContextRequest, "context", parent=STORE)
        context = vertex.Context(request.context)
        context.name = f"{STORE}/contexts/{request.context_id}"
        self.contexts[request.context_id] = context
        return context

    def get(self, call: Call) -> Any:
        if call.path["context"] not in self.contexts:
            raise Refusal(404, f"Context {call.path['context']} not found.")
        return self.contexts[call.path["context"]]

    def add_children(self, call: Call) -> dict[str, Any]:
        name = f"{STORE}/contexts/{call.path['context']}"
        request = call.message(vertex.AddContextChildrenRequest, context=name)
        self.children.setdefault(call.path["context"], []).extend(request.child_contexts)
        return {}


@contextmanager
def serve_models() -> Iterator[ModelService]:
    service = ModelService()
    with serve(service) as service.wire:
        service.url = service.wire.url
        yield service


def now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.UTC)


def end(job: Any, state: str, message: str = "") -> None:
    """Puts a job into a state, and ends it if the state is final."""
    job.state = vertex.PipelineState[f"PIPELINE_STATE_{state}"]
    job.error.code = 9 if message else 0
    job.error.message = message
    if state in OVER:
        job.end_time = now()


def paged(found: list[Any], request: Any, most: int) -> tuple[list[Any], str]:
    start = int(request.page_token or 0)
    end = start + min(request.page_size or most, most)
    return found[start:end], str(end) if end < len(found) else ""


def check_labels(labels: Any) -> None:
    for key, value in labels.items():
        if not (LABEL_KEY.fullmatch(key) and LABEL_VALUE.fullmatch(value)):
            raise Refusal(400, f"Invalid label {key!r}: {value!r}.")


def check_job(request: Any) -> None:
    job = vertex.PipelineJob.pb(request.pipeline_job)
    check_labels(job.labels)
    key = job.encryption_spec.kms_key_name
    for what, value, form in (
        ("id", request.pipeline_job_id, JOB_ID),
        ("network", job.network, NETWORK),
        ("key", key, KEY),
    ):
        if value and not form.fullmatch(value):
            raise Refusal(400, f"Invalid {what} {value!r}.")
    if not job.runtime_config.gcs_output_directory.startswith("gs://"):
        raise Refusal(400, "The pipeline root is not in Cloud Storage.")


def _masked(job: Any, paths: Any) -> Any:
    masked = vertex.PipelineJob()
    for path in paths or vertex.PipelineJob.meta.fields:
        getattr(vertex.PipelineJob.pb(masked), path)
        setattr(masked, path, getattr(job, path))
    return masked
