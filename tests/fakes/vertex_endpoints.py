"""What Vertex AI's endpoints do: deploy, undeploy, move traffic, answer about pictures."""

import base64
import binascii
import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from google.cloud import aiplatform_v1 as vertex

from tests.fakes.vertex import ModelService, paged
from tests.fakes.wire import NUMBERED, PARENT, Call, Refusal, Route, Violation, as_json

PREFIX: Final = "type.googleapis.com/google.cloud.aiplatform.v1"
LARGEST: Final = 1_572_864
"""Bytes of a request for predictions: the limit that the service names when it refuses."""
BOOT: Final = {"probabilities": [0.02] * 9 + [0.82], "class_id": 9, "label": "Ankle boot"}

Server = Callable[[list[bytes]], Any]


@dataclass
class EndpointService:
    """The endpoints of one project and one location, by number.

    Attributes:
        models: The registry that versions are deployed from.
        stages: What a deployment says at each look before it ends.
        script: Is called before each look at an operation, one after the other.
        failure: Code and message with which the next deployment ends.
        server: What the container answers for pictures, or the refusal that it raises.
        asked: The pictures of each request that was answered, and what answered it.
        lag: Requests that the version before still answers after the traffic was moved.
    """

    models: ModelService = field(default_factory=ModelService)
    endpoints: dict[str, Any] = field(default_factory=dict)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    script: list[Callable[[], None]] = field(default_factory=list)
    failure: tuple[int, str] | None = None
    server: Server = lambda pictures: {"predictions": [BOOT] * len(pictures)}
    asked: list[tuple[str, list[bytes]]] = field(default_factory=list)
    lag: int = 0
    page_size: int = 100

    def routes(self) -> list[Route]:
        endpoints = f"/v1/{PARENT}/endpoints"
        one = rf"{endpoints}/(?P<endpoint>\d+)"
        operations = rf"/(?:v1|ui)/{PARENT}/endpoints/(?P<endpoint>\d+)/operations"
        return [
            (rf"POST {endpoints}", "CreateEndpoint", self.create),
            (rf"GET {endpoints}", "ListEndpoints", self.list_endpoints),
            (rf"GET {one}", "GetEndpoint", self.get),
            (rf"PATCH {one}", "UpdateEndpoint", self.update),
            (rf"DELETE {one}", "DeleteEndpoint", self.delete),
            (rf"POST {one}:deployModel", "DeployModel", self.deploy),
            (rf"POST {one}:undeployModel", "UndeployModel", self.undeploy),
            (rf"POST {one}:rawPredict", "RawPredict", self.raw_predict),
            (rf"GET {operations}", "ListOperations", self.list_operations),
            (rf"GET {operations}/(?P<operation>\d+)", "GetOperation", self.operation),
        ]

    def add(self, name: str) -> Any:
        number = str(500 + len(self.endpoints))
        made = vertex.Endpoint(name=f"{NUMBERED}/endpoints/{number}", display_name=name)
        self.endpoints[number] = made
        return made

    def put(self, endpoint: Any, version: Any, machine: str = "n1-standard-2") -> Any:
        """Deploys a version at once, without traffic."""
        number = str(7000 + sum(len(one.deployed_models) for one in self.endpoints.values()))
        while any(one.id == number for one in endpoint.deployed_models):
            number = str(int(number) + 1)
        endpoint.deployed_models.append(
            vertex.DeployedModel(
                id=number,
                model=f"{version.name}@{version.version_id}",
                model_version_id=version.version_id,
                display_name=version.display_name,
                dedicated_resources={
                    "machine_spec": {"machine_type": machine},
                    "min_replica_count": 1,
                    "max_replica_count": 1,
                },
            )
        )
        return endpoint.deployed_models[-1]

    def create(self, call: Call) -> dict[str, Any]:
        request = call.message(vertex.CreateEndpointRequest, "endpoint", parent=PARENT)
        if not 1 <= len(request.endpoint.display_name) <= 128:
            raise Refusal(400, "Invalid display name.")
        made = self.add(request.endpoint.display_name)
        made.encryption_spec = request.endpoint.encryption_spec
        return self._started(made, lambda: vertex.Endpoint(name=made.name))

    def list_endpoints(self, call: Call) -> Any:
        request = call.message(vertex.ListEndpointsRequest, parent=PARENT)
        wanted = re.fullmatch(r'(?:display_name="([^"]*)")?', request.filter)
        if wanted is None:
            raise Refusal(400, f"Invalid filter {request.filter}.")
        found = [one for one in self.endpoints.values() if wanted[1] in (None, one.display_name)]
        page, token = paged(found, request, self.page_size)
        return vertex.ListEndpointsResponse(endpoints=page, next_page_token=token)

    def get(self, call: Call) -> Any:
        call.message(vertex.GetEndpointRequest, name=self._name(call))
        return copy.deepcopy(self._endpoint(call))

    def update(self, call: Call) -> Any:
        request = call.message(vertex.UpdateEndpointRequest, "endpoint")
        if list(request.update_mask.paths) != ["traffic_split"]:
            raise Violation(f"UpdateEndpoint: {request.update_mask.paths}")
        endpoint = self._endpoint(call)
        split = dict(request.endpoint.traffic_split)
        self._check_split(split, {one.id for one in endpoint.deployed_models})
        endpoint.traffic_split = split
        return endpoint

    def delete(self, call: Call) -> dict[str, Any]:
        call.message(vertex.DeleteEndpointRequest, name=self._name(call))
        endpoint = self._endpoint(call)
        if endpoint.deployed_models:
            raise Refusal(400, "The Endpoint has deployed models.")
        del self.endpoints[call.path["endpoint"]]
        return self._started(endpoint, None)

    def deploy(self, call: Call) -> dict[str, Any]:
        request = call.message(vertex.DeployModelRequest, endpoint=self._name(call))
        wanted, endpoint = request.deployed_model, self._endpoint(call)
        machines = wanted.dedicated_resources
        if not machines.machine_spec.machine_type or machines.min_replica_count < 1:
            raise Refusal(400, "A DeployedModel needs a machine type and a replica.")
        if machines.max_replica_count < machines.min_replica_count:
            raise Refusal(400, "max_replica_count is less than min_replica_count.")
        self._check_split(dict(request.traffic_split), {"0"})
        name, _, number = wanted.model.partition("@")
        known = [
            one for one in self.models.versions if (one.name, one.version_id) == (name, number)
        ]
        if not known:
            raise Refusal(404, f"{wanted.model} does not exist.")
        failure, self.failure = self.failure, None

        def finish() -> Any:
            if failure:
                return failure
            made = self.put(endpoint, known[0])
            made.dedicated_resources = machines
            made.display_name = wanted.display_name
            return vertex.DeployModelResponse(deployed_model=made)

        return self._started(endpoint, finish, list(self.stages))

    def undeploy(self, call: Call) -> dict[str, Any]:
        request = call.message(vertex.UndeployModelRequest, endpoint=self._name(call))
        endpoint = self._endpoint(call)
        rest = [one for one in endpoint.deployed_models if one.id != request.deployed_model_id]
        if len(rest) == len(endpoint.deployed_models):
            raise Refusal(404, f"DeployedModel {request.deployed_model_id} not found.")
        split = dict(request.traffic_split or endpoint.traffic_split)
        if rest and split.get(request.deployed_model_id):
            raise Refusal(400, "The DeployedModel has traffic assigned to it.")
        if rest:
            self._check_split(split, {one.id for one in rest})
        endpoint.deployed_models = rest
        endpoint.traffic_split = split if rest else {}
        return self._started(endpoint, vertex.UndeployModelResponse)

    def raw_predict(self, call: Call) -> Any:
        endpoint = self._endpoint(call)
        if len(json.dumps(call.body)) > LARGEST:
            raise Refusal(400, f"Request payload size exceeds the limit: {LARGEST} bytes.")
        pictures = _pictures(call.body)
        traffic = [one for one, share in endpoint.traffic_split.items() if share]
        if not traffic:
            raise Refusal(400, f"Endpoint {endpoint.name} doesn't have traffic_split.")
        served_by = traffic[0]
        if self.lag:
            self.lag -= 1
            served_by = "1"
        answer = self.server(pictures)
        self.asked.append((served_by, pictures))
        return {"X-Vertex-AI-Deployed-Model-Id": served_by}, answer

    def list_operations(self, call: Call) -> dict[str, Any]:
        start = int(call.only("pageToken").get("pageToken", ["0"])[0])
        part = f"/endpoints/{call.path['endpoint']}/"
        found = [one for name, one in self.operations.items() if part in name]
        end = start + self.page_size
        page = [self._public(one) for one in found[start:end]]
        return {"operations": page, "nextPageToken": str(end) if end < len(found) else ""}

    def operation(self, call: Call) -> dict[str, Any]:
        if self.script:
            self.script.pop(0)()
        name = f"{NUMBERED}/endpoints/{call.path['endpoint']}/operations/{call.path['operation']}"
        operation = self.operations[name]
        if operation["stages"]:
            operation["stage"] = operation["stages"].pop(0)
        elif "done" not in operation:
            self._end(operation)
        return self._public(operation)

    def _started(
        self, endpoint: Any, finish: Callable[[], Any] | None, stages: list[str] | None = None
    ) -> dict[str, Any]:
        name = f"{endpoint.name}/operations/{len(self.operations) + 1}"
        self.operations[name] = {
            "name": name,
            "finish": finish,
            "stages": stages or [],
            "stage": "",
        }
        return {"name": name}

    def _end(self, operation: dict[str, Any]) -> None:
        operation["done"] = True
        result = operation["finish"]() if operation["finish"] else None
        if isinstance(result, tuple):
            operation["error"] = {"code": result[0], "message": result[1]}
        elif result is None:
            operation["response"] = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        else:
            kind = {"@type": f"{PREFIX}.{type(result).__name__}"}
            operation["response"] = kind | as_json(result)

    def _public(self, operation: dict[str, Any]) -> dict[str, Any]:
        public: dict[str, Any] = {
            key: operation[key] for key in ("name", "done", "error", "response") if key in operation
        }
        if operation["stage"]:
            kind = {"@type": f"{PREFIX}.DeployModelOperationMetadata"}
            public["metadata"] = kind | {"deploymentStage": operation["stage"]}
        return public

    def _check_split(self, split: dict[str, int], known: set[str]) -> None:
        if split and (sum(split.values()) != 100 or not set(split) <= known):
            raise Refusal(400, f"Invalid traffic split {split}.")

    def _name(self, call: Call) -> str:
        return f"{PARENT}/endpoints/{call.path['endpoint']}"

    def _endpoint(self, call: Call) -> Any:
        if call.path["endpoint"] not in self.endpoints:
            raise Refusal(404, f"{self._name(call)} is not found.")
        return self.endpoints[call.path["endpoint"]]


def _pictures(body: Any) -> list[bytes]:
    """The pictures of a request as the server takes them."""
    if set(body) != {"signature_name", "instances"} or body["signature_name"] != "serving_bytes":
        raise Violation(f"RawPredict: {set(body)}")
    try:
        return [
            base64.b64decode(instance.pop("image_bytes")["b64"], validate=True)
            for instance in body["instances"]
            if len(instance) == 1
        ]
    except (KeyError, TypeError, binascii.Error) as error:
        raise Violation(f"RawPredict: {error!r}") from error
