"""What Vertex AI's ModelService does, as far as the pipeline needs it.

Every message that comes in is parsed into the class of the service's own client library, and
what the service would refuse is refused.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format

PARENT: Final = "projects/my-project/locations/europe-west4"
ALIAS: Final = re.compile("[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
"""The documented rule of ``Model.version_aliases``."""
LABEL_KEY: Final = re.compile("[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE: Final = re.compile("[a-z0-9_-]{0,63}")


class Refusal(Exception):
    """An error that the service answers with.

    Attributes:
        status: The HTTP status.
        reason: That of the ``ErrorInfo``, as ``SERVICE_DISABLED``; empty: there is none.
    """

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """A request that came in: ``ListModels``, path as it was sent, query, body."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes


@dataclass
class ModelService:
    """A registry of one project and one location.

    Attributes:
        url: Its address.
        versions: All versions of all models, in the order in which they came.
        requests: What it was asked.
        uploads: The uploads that it accepted.
        failures: By method, as ``ListModels``: what the next requests are answered with.
        page_size: Most items of a listing's page.
        filters: Whether a listing honours the filter it is asked with.
        polls: How often an upload's operation is looked at before it is done.
    """

    url: str
    versions: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    uploads: list[Any] = field(default_factory=list)
    failures: dict[str, list[Refusal]] = field(default_factory=dict)
    page_size: int = 100
    filters: bool = True
    polls: int = 1
    operations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def fail(self, method: str, status: int, *, reason: str = "", times: int = 1) -> None:
        """Answers the next requests of ``method`` with an error."""
        refusal = Refusal(status, f"{method} was refused.\nDetails: none", reason)
        self.failures.setdefault(method, []).extend([refusal] * times)

    def add(self, model: Any, parent: str = "") -> Any:
        """Adds a version to the model ``parent``, or the first version of a new model.

        Args:
            model: An ``aiplatform_v1.Model``: display name, aliases, labels, artifact URI.
            parent: Resource name of the model; empty: a new one.

        Returns:
            The version, with its name and number.
        """
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

    def list_models(self, request: Request) -> Any:
        wanted = re.fullmatch(r'display_name="([^"]*)"', request.query.get("filter", ""))
        if wanted is None:
            raise Refusal(400, f"Invalid filter in {request.query}.")
        found = [v for v in self.versions if "default" in v.version_aliases]
        found = [v for v in found if v.display_name == wanted[1] or not self.filters]
        page, token = self._page(found, request)
        return vertex.ListModelsResponse(models=page, next_page_token=token)

    def list_model_versions(self, request: Request) -> Any:
        page, token = self._page(self._of(request), request)
        return vertex.ListModelVersionsResponse(models=page, next_page_token=token)

    def get_model(self, request: Request) -> Any:
        reference = unquote(request.path).partition("@")[2] or "default"
        for version in self._of(request):
            if reference == version.version_id or reference in version.version_aliases:
                return version
        raise Refusal(404, f"{request.path} does not exist.")

    def upload_model(self, request: Request) -> dict[str, Any]:
        message = vertex.UploadModelRequest()
        try:
            json_format.Parse(request.body, type(message).pb(message))
        except json_format.ParseError as error:
            raise Refusal(400, f"Invalid JSON payload: {error}") from error
        _check(message.model)
        version = self.add(message.model, message.parent_model)
        self.uploads.append(message)
        name = f"{version.name}/operations/{len(self.operations) + 1}"
        done = vertex.UploadModelResponse(model=version.name, model_version_id=version.version_id)
        pending = [{"name": name}] * self.polls
        self.operations[name] = [*pending, {"name": name, "done": True, "response": as_json(done)}]
        return self.operations[name].pop(0)

    def get_operation(self, request: Request) -> dict[str, Any]:
        answers = self.operations[request.path.split("/", 2)[2]]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _of(self, request: Request) -> list[Any]:
        name = re.sub("^/v1/|[@:].*$", "", unquote(request.path))
        found = [version for version in self.versions if version.name == name]
        if not found:
            raise Refusal(404, f"{name} does not exist.")
        return found

    def _page(self, found: list[Any], request: Request) -> tuple[list[Any], str]:
        start = int(request.query.get("pageToken", "0"))
        end = start + self.page_size
        return found[start:end], str(end) if end < len(found) else ""


def as_json(message: Any) -> dict[str, Any]:
    """A message of the client library as the service sends it."""
    content: dict[str, Any] = json_format.MessageToDict(type(message).pb(message))
    return content


def _check(model: Any) -> None:
    """Refuses a model that the service would refuse."""
    if not 1 <= len(model.display_name) <= 128:
        raise Refusal(400, f"Invalid display name {model.display_name!r}.")
    for alias in model.version_aliases:
        if not ALIAS.fullmatch(alias):
            raise Refusal(400, f"Invalid alias {alias!r}.")
    for key, value in model.labels.items():
        if not (LABEL_KEY.fullmatch(key) and LABEL_VALUE.fullmatch(value)):
            raise Refusal(400, f"Invalid label {key!r}: {value!r}.")
