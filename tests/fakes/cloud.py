"""A project on Google Cloud, on one loopback port: Vertex AI and the services around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest
from google.protobuf import json_format

from tests.fakes.vertex import MetadataService, ModelService, PipelineService, ScheduleService
from tests.fakes.vertex_endpoints import EndpointService
from tests.fakes.wire import NUMBER, Call, Refusal, Route, Violation, Wire, serve

ACCOUNT: Final = "pipeline@my-project.iam.gserviceaccount.com"
APIS: Final = ("aiplatform.googleapis.com", "storage.googleapis.com", "compute.googleapis.com")
BUCKET_FIELDS: Final = {"name", "location", "iamConfiguration"}
UNIFORM: Final = {
    "uniformBucketLevelAccess": {"enabled": True},
    "publicAccessPrevention": "enforced",
}


@dataclass
class ServiceUsage:
    """The APIs of a project, and those of them that are enabled."""

    enabled: set[str] = field(default_factory=lambda: set(APIS))

    def routes(self) -> list[Route]:
        return [(r"GET /v1/projects/my-project/services:batchGet", "BatchGetServices", self.get)]

    def get(self, call: Call) -> dict[str, Any]:
        prefix = "projects/my-project/services/"
        names = call.only("names")["names"]
        if not all(name.startswith(prefix) for name in names):
            raise Violation(f"BatchGetServices: {names}")
        on = {name: name.removeprefix(prefix) in self.enabled for name in names}
        states = {True: "ENABLED", False: "DISABLED"}
        parent = f"projects/{NUMBER}"
        found = {f"{parent}/services/{name.removeprefix(prefix)}": on[name] for name in names}
        return {
            "services": [
                {"name": name, "parent": parent, "state": states[found[name]]} for name in found
            ]
        }


@dataclass
class Iam:
    """Service accounts, and what the caller may do with each."""

    permissions: dict[str, set[str]] = field(
        default_factory=lambda: {ACCOUNT: {"iam.serviceAccounts.actAs"}}
    )

    def routes(self) -> list[Route]:
        path = r"/v1/projects/-/serviceAccounts/(?P<account>[^/:]+):testIamPermissions"
        return [(rf"POST {path}", "TestIamPermissions", self.test)]

    def test(self, call: Call) -> dict[str, Any]:
        request = TestIamPermissionsRequest()
        try:
            json_format.ParseDict(call.body, request)
        except json_format.ParseError as error:
            raise Violation(f"TestIamPermissions: {error}") from error
        if call.path["account"] not in self.permissions:
            raise Refusal(404, "Unknown service account")
        allowed = self.permissions[call.path["account"]]
        return {"permissions": [name for name in request.permissions if name in allowed]}


@dataclass
class Buckets:
    """Buckets without objects.

    Attributes:
        locations: Where each is.
        descriptions: What else the service says of each.
        made: The requests for one that were accepted.
    """

    locations: dict[str, str] = field(default_factory=lambda: {"my-bucket": "EUROPE-WEST4"})
    descriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)

    def routes(self) -> list[Route]:
        return [
            (r"GET /storage/v1/b/(?P<bucket>[^/]+)", "GetBucket", self.get),
            (r"POST /storage/v1/b", "CreateBucket", self.create),
        ]

    def get(self, call: Call) -> dict[str, Any]:
        call.only("projection", "prettyPrint")
        if call.path["bucket"] not in self.locations:
            raise Refusal(404, "The specified bucket does not exist.")
        return self._resource(call.path["bucket"])

    def create(self, call: Call) -> dict[str, Any]:
        if call.only("project", "prettyPrint")["project"] != ["my-project"]:
            raise Violation("CreateBucket: another project")
        if unknown := set(call.body) - BUCKET_FIELDS:
            raise Violation(f"CreateBucket: unknown fields {unknown}")
        if call.body["name"] in self.locations:
            done = "Your previous request to create the named bucket succeeded"
            raise Refusal(409, f"{done} and you already own it.")
        self.made.append(call.body)
        self.locations[call.body["name"]] = call.body["location"].upper()
        return self._resource(call.body["name"])

    def _resource(self, name: str) -> dict[str, Any]:
        return {
            **{"kind": "storage#bucket", "id": name, "name": name, "projectNumber": NUMBER},
            **{"location": self.locations[name], "iamConfiguration": UNIFORM},
            **self.descriptions.get(name, {}),
        }


@dataclass
class Cloud:
    """A project, its services, and the server that answers for them."""

    pipelines: PipelineService = field(default_factory=PipelineService)
    schedules: ScheduleService = field(default_factory=ScheduleService)
    metadata: MetadataService = field(default_factory=MetadataService)
    models: ModelService = field(default_factory=ModelService)
    endpoints: EndpointService = field(default_factory=EndpointService)
    usage: ServiceUsage = field(default_factory=ServiceUsage)
    iam: Iam = field(default_factory=Iam)
    buckets: Buckets = field(default_factory=Buckets)
    wire: Wire = field(init=False)

    def environment(self, home: Path) -> dict[str, str]:
        """Variables that send Google's clients here; ``home`` is for gcloud's configuration."""
        override = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
        return {
            f"{override}AIPLATFORM": self.wire.url,
            f"{override}SERVICEUSAGE": self.wire.url,
            f"{override}IAM": self.wire.url,
            "STORAGE_EMULATOR_HOST": self.wire.url,
            "CLOUDSDK_CONFIG": str(home),
            "GOOGLE_CLOUD_PROJECT": "my-project",
            "GOOGLE_CLOUD_REGION": "europe-west4",
        }


@contextmanager
def serve_cloud() -> Iterator[Cloud]:
    """Serves a project with its APIs on and the bucket ``my-bucket``, while the block runs."""
    cloud = Cloud()
    cloud.endpoints.models = cloud.models
    services = (value for name, value in vars(cloud).items() if name != "wire")
    with serve(*services) as cloud.wire:
        yield cloud
