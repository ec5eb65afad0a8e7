"""How metadata change on their way through ML Metadata.

Read from ``backend/src/v2/metadata/converter.go`` and ``client.go`` of KFP's backend 2.17.0.
"""

import json
from typing import Any, NamedTuple

from tests.kubeflow.store import Bucket, LauncherError
from tests.kubeflow.workflow import SESSION


class Artifact(NamedTuple):
    """An artifact as it is kept: the id is its name in an executor input."""

    id: int
    uri: str
    properties: dict[str, Any]

    def runtime(self) -> dict[str, Any]:
        """The artifact in the executor input of a task that reads it."""
        kind = {"instanceSchema": ""}
        return {"name": str(self.id), "uri": self.uri, "type": kind, "metadata": self.properties}


def kept(value: Any) -> Any:
    """A value as it comes back."""
    match value:
        case None:
            raise LauncherError("unknown/unsupported value type *structpb.Value_NullValue")
        case bool():
            return int(value)
        case dict():
            return {"struct": value}
        case list():
            return {"list": value}
    return value


def record(number: int, name: str, runtime: dict[str, Any], bucket: Bucket) -> Artifact:
    """An output as the launcher records it."""
    given = {key: kept(value) for key, value in runtime.get("metadata", {}).items()}
    session = {**SESSION, "Provider": bucket.scheme.removesuffix("://")}
    added = {"display_name": name, "store_session_info": json.dumps(session)}
    return Artifact(number, runtime["uri"], {**added, **given})


def plain(value: Any) -> Any:
    """JSON as Go writes it: numbers that are whole without a point."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
