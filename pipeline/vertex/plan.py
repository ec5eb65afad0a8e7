"""What it takes until an endpoint serves a version, and what it serves afterwards."""

import dataclasses
from typing import Any, Final

from pipeline.vertex import endpoints, prices
from pipeline.vertex.target import Target

MACHINE_TYPE: Final = "n1-standard-2"
"""Vertex AI's own default for a deployed model."""


@dataclasses.dataclass(frozen=True)
class Machines:
    """What a version should run on; what was not given is empty or 0."""

    machine_type: str = ""
    min_replicas: int = 0
    max_replicas: int = 0

    def resources(self) -> dict[str, Any]:
        """The ``DedicatedResources``, with defaults for what was not given."""
        least = self.min_replicas or 1
        return {
            "machine_spec": {"machine_type": self.machine_type or MACHINE_TYPE},
            "min_replica_count": least,
            "max_replica_count": self.max_replicas or least,
        }

    def are(self, deployed: Any) -> bool:
        """Whether something deployed runs on what was given."""
        machine, least, most = _machines(deployed)
        pairs = (
            (self.machine_type, machine),
            (self.min_replicas, least),
            (self.max_replicas, most),
        )
        return all(not given or given == there for given, there in pairs)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What it takes until all traffic of an endpoint goes to a version.

    Attributes:
        target: The project and region.
        model: The version, a ``Model`` message.
        name: Name or number of the endpoint.
        machines: What it should run on.
        keep: Whether what is deployed besides stays.
        endpoint: None: it does not exist yet.
        there: The version as it is deployed already, on such machines; None: it is not.
        others: What else is deployed.
    """

    target: Target
    model: Any
    name: str
    machines: Machines
    keep: bool
    endpoint: Any
    there: Any = None
    others: tuple[Any, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be done."""
        return self.has_traffic and (self.keep or not self.others)

    @property
    def has_traffic(self) -> bool:
        """Whether all traffic goes to the version."""
        served = endpoints.served(self.endpoint) if self.there is not None else []
        return [one.id for one in served] == [getattr(self.there, "id", "")]

    def request(self) -> Any:
        """The ``DeployModelRequest``: the version without traffic, on its machines."""
        from google.cloud.aiplatform_v1 import DeployModelRequest

        return DeployModelRequest(
            endpoint=self.endpoint.name if self.endpoint else "",
            deployed_model={
                "model": f"{self.model.name}@{self.model.version_id}",
                "display_name": self.model.display_name,
                "dedicated_resources": self.machines.resources(),
            },
        )

    def new_endpoint(self) -> Any:
        """The ``Endpoint`` that is made if there is none; it has the model's encryption key."""
        from google.cloud.aiplatform_v1 import Endpoint

        endpoint = Endpoint(display_name=self.name)
        if self.model.encryption_spec.kms_key_name:
            endpoint.encryption_spec = self.model.encryption_spec
        return endpoint


def plan(target: Target, model: Any, name: str, machines: Machines, *, keep: bool) -> Plan:
    """Looks at what is deployed, and plans what has to be done.

    Raises:
        CommandError: Several endpoints have the name.
        CloudError: The service refused.
    """
    endpoint = endpoints.find(target, name)
    return _planned(Plan(target, model, name, machines, keep, endpoint))


def renewed(plan: Plan, deployed_id: str = "") -> Plan:
    """A plan for the endpoint as it is now; ``deployed_id``: the version as it was just deployed.

    Raises:
        CloudError: The service refused.
    """
    endpoint = endpoints.get(plan.target, plan.endpoint.name)
    return _planned(dataclasses.replace(plan, endpoint=endpoint), deployed_id)


def cost(deployed: Any) -> str:
    """What something deployed costs, in words."""
    return prices.sentence(*_machines(deployed))


def as_requests(plan: Plan) -> dict[str, Any]:
    """What a plan sends, as JSON values by the methods of the service."""
    from google.protobuf import json_format

    def content(message: Any) -> Any:
        return json_format.MessageToDict(type(message).pb(message))

    steps: dict[str, Any] = {}
    if plan.endpoint is None:
        steps["createEndpoint"] = content(plan.new_endpoint())
    if plan.there is None:
        steps["deployModel"] = content(plan.request())
    if not plan.has_traffic:
        steps["updateEndpoint"] = {"trafficSplit": {plan.there.id if plan.there else "NEW": 100}}
    if plan.others and not plan.keep:
        steps["undeployModel"] = [{"deployedModelId": one.id} for one in plan.others]
    return steps


def as_json(plan: Plan) -> dict[str, Any]:
    """What is deployed on the endpoint of a plan that was carried out, as JSON values."""
    endpoint = plan.endpoint
    share = dict(endpoint.traffic_split)
    return {
        "endpoint": endpoint.display_name,
        "name": endpoint.name,
        "page": endpoints.page(plan.target, endpoint),
        "deployed": [facts(one, share.get(one.id, 0)) for one in endpoint.deployed_models],
    }


def facts(deployed: Any, traffic: int) -> dict[str, Any]:
    """Something deployed as JSON values; ``traffic`` is its share of the requests, in percent."""
    machine, least, most = _machines(deployed)
    return {
        "id": deployed.id,
        "model": deployed.model.partition("@")[0],
        "version": deployed.model_version_id,
        "traffic": traffic,
        "machine_type": machine,
        "min_replicas": least,
        "max_replicas": most,
        "usd_an_hour": prices.an_hour(machine),
    }


def _planned(plan: Plan, deployed_id: str = "") -> Plan:
    if plan.endpoint is None:
        return plan
    deployed, share = list(plan.endpoint.deployed_models), dict(plan.endpoint.traffic_split)
    same = [
        one
        for one in deployed
        if one.id == deployed_id or (_is_of(one, plan.model) and plan.machines.are(one))
    ]
    there = max(same, key=lambda one: (one.id == deployed_id, share.get(one.id, 0)), default=None)
    others = tuple(one for one in deployed if there is None or one.id != there.id)
    return dataclasses.replace(plan, there=there, others=others)


def _is_of(deployed: Any, model: Any) -> bool:
    number = deployed.model.partition("@")[0].rpartition("/")[2]
    same_model = number == model.name.rpartition("/")[2]
    return bool(same_model and deployed.model_version_id == model.version_id)


def _machines(deployed: Any) -> tuple[str, int, int]:
    found = deployed.dedicated_resources
    least = found.min_replica_count
    return found.machine_spec.machine_type, least, found.max_replica_count or least
