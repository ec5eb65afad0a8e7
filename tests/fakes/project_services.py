"""Small rooms around Vertex AI: Service Usage, IAM, buckets, and a machine's own tokens."""

from dataclasses import dataclass, field
from typing import Any, Final

from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest
from google.protobuf import json_format

from tests.fakes.model_service import Refusal
from tests.fakes.wire import Call, Route, Violation

ACCOUNT: Final = "pipeline@my-project.iam.gserviceaccount.com"
BUCKET_FIELDS: Final = {"name", "location", "iamConfiguration"}
UNIFORM: Final = {
    "uniformBucketLevelAccess": {"enabled": True},
    "publicAccessPrevention": "enforced",
}


@dataclass
class ServiceUsage:
    """The APIs of a project.

    Attributes:
        enabled: Those that are on.
    """

    enabled: set[str] = field(
        default_factory=lambda: {
            "aiplatform.googleapis.com",
            "storage.googleapis.com",
            "compute.googleapis.com",
        }
    )

    def routes(self) -> list[Route]:
        """What it answers."""
        return [(r"GET /v1/projects/my-project/services:batchGet", "BatchGetServices", self.get)]

    def get(self, call: Call) -> dict[str, Any]:
        names = call.only("names")["names"]
        for name in names:
            if not name.startswith("projects/my-project/services/"):
                raise Violation(f"BatchGetServices: {name}")
        states = {name: name.rsplit("/", 1)[1] in self.enabled for name in names}
        return {
            "services": [
                {"name": name, "state": "ENABLED" if on else "DISABLED"}
                for name, on in states.items()
            ]
        }


@dataclass
class Iam:
    """Service accounts, and what the caller may do with each.

    Attributes:
        permissions: By the account's address.
    """

    permissions: dict[str, set[str]] = field(
        default_factory=lambda: {ACCOUNT: {"iam.serviceAccounts.actAs"}}
    )

    def routes(self) -> list[Route]:
        """What it answers."""
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
        locations: By name, where each is.
        made: What was made, as it was asked for.
    """

    locations: dict[str, str] = field(default_factory=lambda: {"my-bucket": "EUROPE-WEST4"})
    made: list[dict[str, Any]] = field(default_factory=list)

    def routes(self) -> list[Route]:
        """What it answers."""
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
            raise Refusal(409, "The requested bucket name is not available.")
        self.made.append(call.body)
        self.locations[call.body["name"]] = call.body["location"].upper()
        return self._resource(call.body["name"])

    def _resource(self, name: str) -> dict[str, Any]:
        kind = {"kind": "storage#bucket", "id": name, "name": name}
        return {**kind, "location": self.locations[name], "iamConfiguration": UNIFORM}


@dataclass
class Tokens:
    """The tokens that a machine on Google Cloud has of its own.

    Attributes:
        issued: All that were given out, the newest last.
        valid: Those that the services accept; empty: they ask for none.
    """

    issued: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)

    def routes(self) -> list[Route]:
        """What it answers."""
        account = r"/computeMetadata/v1/instance/service-accounts/[^/]+"
        return [
            (r"GET /", "Token", lambda _call: {}),
            (rf"GET {account}/token", "Token", self.token),
            (rf"GET {account}/?", "Token", self.account),
            (r"GET /computeMetadata/v1/universe/universe-domain", "Token", self.unset),
            (r"GET /computeMetadata/v1/project/project-id", "Token", self.unset),
        ]

    def account(self, _call: Call) -> dict[str, Any]:
        return {"email": ACCOUNT, "scopes": ["cloud-platform"], "aliases": ["default"]}

    def unset(self, _call: Call) -> dict[str, Any]:
        raise Refusal(404, "not set")

    def token(self, _call: Call) -> dict[str, Any]:
        self.issued.append(f"token-{len(self.issued) + 1}")
        self.valid.add(self.issued[-1])
        return {"access_token": self.issued[-1], "token_type": "Bearer", "expires_in": 3600}

    def expire(self) -> None:
        """Lets no token be valid that was issued so far."""
        self.valid.clear()
        self.valid.add("the next one")
