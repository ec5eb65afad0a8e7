"""A Kubeflow Pipelines API on a loopback port.

Every request is checked against the models of ``kfp_server_api``: a field that a model does not
know, or of another type, fails the test.
"""

import copy
import datetime
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import kfp_server_api
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

from tests.fakes.wire import Call, Refusal, Route, Violation, Wire, serve

NATIVE: Final[dict[str, Any]] = {
    **{"str": str, "int": int, "bool": bool, "float": (int, float)},
    **{"object": object, "datetime": str},
}
TYPES: Final[dict[str, Any]] = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}
ZERO: Final = "1970-01-01T00:00:00Z"
"""How the API gives a time of a run that is not set; that of a task is of the year 1."""
LIVE: Final = ("PENDING", "RUNNING", "PAUSED", None)

Change = Callable[[dict[str, Any]], None]


@dataclass
class Kubeflow:
    """An installation.

    Attributes:
        several_users: Whether requests must name a namespace.
        token: The bearer token that it accepts; empty: it asks for none.
        created: The runs and recurring runs that were accepted, as they were sent.
        script: What happens to a run before each look at it.
        on_create: Is called with each new run.
    """

    several_users: bool = False
    token: str = ""
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    script: list[Change] = field(default_factory=list)
    on_create: Change | None = None
    lock: Any = field(default_factory=threading.RLock)
    wire: Wire = field(init=False)

    def routes(self) -> list[Route]:
        api = "/apis/v2beta1"
        one = r"(?P<id>[0-9a-f-]{36})"
        routes: list[Route] = [
            (f"GET {api}/healthz", "Healthz", self.healthz),
            (f"GET {api}/experiments", "ListExperiments", self.list_experiments),
            (f"POST {api}/experiments", "CreateExperiment", self.create_experiment),
            (f"GET {api}/runs", "ListRuns", self.list_runs),
            (f"POST {api}/runs", "CreateRun", self.create_run),
            (f"GET {api}/runs/{one}", "GetRun", self.get_run),
            (f"POST {api}/runs/{one}:terminate", "TerminateRun", self.terminate),
            (f"GET {api}/recurringruns", "ListSchedules", self.list_schedules),
            (f"POST {api}/recurringruns", "CreateSchedule", self.create_schedule),
            (f"POST {api}/recurringruns/{one}:disable", "DisableSchedule", self.switch),
            (f"POST {api}/recurringruns/{one}:enable", "EnableSchedule", self.switch),
            (f"DELETE {api}/recurringruns/{one}", "DeleteSchedule", self.delete_schedule),
        ]
        return [(path, name, self._signed_in(handle)) for path, name, handle in routes]

    def add(self, name: str, state: str | None = "RUNNING", **fields: Any) -> dict[str, Any]:
        run = {
            "run_id": str(uuid.uuid4()),
            "display_name": name,
            "experiment_id": str(uuid.uuid4()),
            "storage_state": "AVAILABLE",
            "created_at": moment(),
            "scheduled_at": moment(),
            "finished_at": ZERO,
            "state": state,
            "state_history": [],
            **fields,
        }
        self.runs[run["run_id"]] = run
        return run

    def healthz(self, call: Call) -> dict[str, Any]:
        call.only()
        # False is left out of an answer.
        return {"multi_user": True} if self.several_users else {}

    def list_experiments(self, call: Call) -> dict[str, Any]:
        return self._listed(call, "experiments", "ListExperimentsResponse", self.experiments)

    def create_experiment(self, call: Call) -> dict[str, Any]:
        sent = checked("V2beta1Experiment", call.body)
        self._in_namespace(sent.get("namespace", ""))
        if any(one["display_name"] == sent["display_name"] for one in self.experiments.values()):
            raise Refusal(409, f"The name {sent['display_name']} already exists.")
        made = {**sent, "experiment_id": str(uuid.uuid4()), "created_at": moment()}
        self.experiments[made["experiment_id"]] = made
        return made

    def list_runs(self, call: Call) -> dict[str, Any]:
        return self._listed(call, "runs", "ListRunsResponse", self.runs)

    def create_run(self, call: Call) -> dict[str, Any]:
        sent = checked("V2beta1Run", call.body)
        self._accept(sent)
        with self.lock:
            self.created.append(sent)
            run = self.add(**{**sent, "name": sent["display_name"]}, state="PENDING")
        if self.on_create:
            self.on_create(run)
        return copy.deepcopy(run)

    def get_run(self, call: Call) -> dict[str, Any]:
        call.only()
        with self.lock:
            run = self._one(call, self.runs, "Run")
            if self.script:
                self.script.pop(0)(run)
            return {name: value for name, value in copy.deepcopy(run).items() if value is not None}

    def terminate(self, call: Call) -> dict[str, Any]:
        run = self._one(call, self.runs, "Run")
        if run["state"] not in LIVE:
            raise Refusal(400, f"Failed to terminate a run {run['run_id']}. Row not found")
        run["state"] = "CANCELING"
        return {}

    def list_schedules(self, call: Call) -> dict[str, Any]:
        kind = "ListRecurringRunsResponse"
        return self._listed(call, "recurringRuns", kind, self.schedules)

    def create_schedule(self, call: Call) -> dict[str, Any]:
        sent = checked("V2beta1RecurringRun", call.body)
        self._accept(sent)
        if not 1 <= int(sent["max_concurrency"]) <= 10:
            raise Refusal(400, "Max concurrency must be at least 1 and at most 10.")
        if len(sent["trigger"]["cron_schedule"]["cron"].split()) != 6:
            raise Refusal(400, "Schedule cron is not a supported format.")
        made = {**sent, "recurring_run_id": str(uuid.uuid4()), "status": "ENABLED"}
        made["created_at"] = moment()
        self.created.append(sent)
        self.schedules[made["recurring_run_id"]] = made
        return made

    def switch(self, call: Call) -> dict[str, Any]:
        status = {"DisableSchedule": "DISABLED", "EnableSchedule": "ENABLED"}[call.method]
        self._one(call, self.schedules, "Job")["status"] = status
        return {}

    def delete_schedule(self, call: Call) -> dict[str, Any]:
        self._one(call, self.schedules, "Job")
        del self.schedules[call.path["id"]]
        return {}

    def _signed_in(self, handle: Callable[[Call], Any]) -> Callable[[Call], Any]:
        def answer(call: Call) -> Any:
            given = call.headers.get("authorization", "")
            if self.token and given != f"Bearer {self.token}":
                raise Refusal(401, "User identity is empty in the request header")
            return handle(call)

        return answer

    def _accept(self, sent: dict[str, Any]) -> None:
        """Refuses what the API refuses of a run, and what its workflow would be made from."""
        if sent.get("experiment_id") not in self.experiments:
            raise Refusal(404, f"Experiment {sent.get('experiment_id')} not found")
        if not sent.get("display_name"):
            raise Refusal(400, "The run name is empty.")
        check_pipeline(sent)

    def _in_namespace(self, namespace: str) -> None:
        if self.several_users and not namespace:
            raise Refusal(400, "An experiment cannot have an empty namespace in multi-user mode")
        if namespace and not self.several_users:
            raise Violation("a namespace where there is one user")

    def _one(self, call: Call, known: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
        if call.path["id"] not in known:
            raise Refusal(404, f"{kind} {call.path['id']} not found.")
        return known[call.path["id"]]

    def _listed(
        self, call: Call, key: str, kind: str, known: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        names = ("page_size", "page_token", "sort_by", "filter", "namespace", "experiment_id")
        query = {name: values[0] for name, values in call.only(*names).items()}
        self._in_namespace(query.get("namespace", ""))
        if query.get("sort_by", "") not in ("", "created_at desc"):
            raise Refusal(400, f"Invalid sort {query['sort_by']}.")
        found = list(reversed(known.values()))
        given = checked("V2beta1Filter", json.loads(query.get("filter") or "{}"))
        for predicate in given.get("predicates", []):
            if predicate["operation"] != "EQUALS":
                raise Refusal(400, "Unknown operation.")
            wanted = predicate["string_value"]
            found = [one for one in found if one[predicate["key"]] == wanted]
        if within := query.get("experiment_id"):
            found = [one for one in found if one["experiment_id"] == within]
        start = int(query.get("page_token") or 0)
        end = start + int(query["page_size"])
        answer: dict[str, Any] = {key: found[start:end]} if found else {}
        if end < len(found):
            answer["next_page_token"] = str(end)
        sound: dict[str, Any] = checked(f"V2beta1{kind}", copy.deepcopy(answer))
        return sound


@contextmanager
def serve_kubeflow() -> Iterator[Kubeflow]:
    service = Kubeflow()
    with serve(service) as service.wire:
        service.wire.error = lambda error: {**error, "details": []}
        yield service


def moment(seconds_ago: float = 0.0) -> str:
    """A time as the API gives it, in whole seconds."""
    now = datetime.datetime.now(tz=datetime.UTC) - datetime.timedelta(seconds=seconds_ago)
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"


def checked(kind: str, value: Any) -> Any:
    """A JSON value, if it is what a model of the client knows.

    Raises:
        Violation: It has an unknown field, or a value of another type.
    """
    if kind in NATIVE:
        if not isinstance(value, NATIVE[kind]):
            raise Violation(f"{value!r} is not of type {kind}")
        return value
    if found := re.fullmatch(r"list\[(.+)\]", kind):
        return [checked(found[1], one) for one in value]
    if found := re.fullmatch(r"dict\(str, (.+)\)", kind):
        return {name: checked(found[1], one) for name, one in value.items()}
    model = getattr(kfp_server_api, kind)
    if not model.openapi_types:
        if value is not None and value not in model.allowable_values:
            raise Violation(f"{value!r} is no {kind}")
        return value
    types = {model.attribute_map[name]: of for name, of in model.openapi_types.items()}
    if unknown := set(value) - set(types):
        raise Violation(f"{kind} has no fields {unknown}")
    return {name: checked(types[name], one) for name, one in value.items()}


def check_pipeline(sent: dict[str, Any]) -> None:
    """Checks a pipeline, its platform and its parameters as the API server parses them."""
    given = sent["pipeline_spec"]
    pipeline, platform = given.get("pipeline_spec", given), given.get("platform_spec", {})
    try:
        json_format.ParseDict(pipeline, pipeline_spec_pb2.PipelineSpec())
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
        of_steps = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {})
        for config in of_steps.get("executors", {}).values():
            kind = kubernetes_executor_config_pb2.KubernetesExecutorConfig
            json_format.ParseDict(config, kind())
    except json_format.ParseError as error:
        raise Violation(f"pipeline: {error}") from error
    if unknown := set(of_steps.get("executors", {})) - set(pipeline["deploymentSpec"]["executors"]):
        raise Violation(f"platform: no executors {unknown}")
    declared = pipeline["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, value in sent["runtime_config"]["parameters"].items():
        if name not in declared:
            raise Refusal(400, f"parameter {name} is not defined")
        if not isinstance(value, TYPES[declared[name]["parameterType"]]):
            raise Refusal(400, f"parameter {name} has another type")
