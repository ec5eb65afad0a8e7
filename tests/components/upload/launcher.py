"""Google's own launchers, run with the arguments of the compiled spec."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from google.protobuf import json_format
from google_cloud_pipeline_components.container.v1.gcp_launcher import lro_remote_runner
from kfp.local import executor_input_utils, placeholder_utils
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentSpec
from requests.adapters import HTTPAdapter

from pipeline.specs import spec as specs
from pipeline.specs.worker_pools import ESCAPED_INPUT

SERVICE: Final = "https://europe-west4-aiplatform.googleapis.com"
MARK: Final = "@executor-input@"
CHANNEL: Final = "pipelinechannel--"
FIRST: Final = ("comp-condition-3", "model-upload-2")
NEW: Final = ("comp-condition-2", "model-upload")
"""Where the compiled pipeline has the upload of a first and of a new version."""
FIRST_EVALUATION: Final = ("comp-condition-3", "model-evaluation-import-2")
NEW_EVALUATION: Final = ("comp-condition-2", "model-evaluation-import")
"""Where it has the import of their evaluations."""


@dataclass(frozen=True)
class Token:
    """Credentials that need no refreshing."""

    valid: bool = True
    token: str = "token"


class Loopback(HTTPAdapter):
    """Sends what is meant for the service to a server on this machine."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace(SERVICE, self.url)
        return super().send(request, *args, **options)


def connect(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Lets the launcher talk to ``url`` and to nothing else, without waiting between polls."""
    session = requests.Session()
    session.trust_env = False  # It would look for a proxy by the service's own address.
    session.adapters.clear()
    session.mount(f"{SERVICE}/", Loopback(url))
    monkeypatch.setattr(lro_remote_runner, "requests", session)
    monkeypatch.setattr(lro_remote_runner, "_POLLING_INTERVAL_IN_SECONDS", 0.001)
    monkeypatch.setattr("google.auth.default", lambda *_, **__: (Token(), "elsewhere"))


def run(
    spec: specs.Spec, place: tuple[str, str], channels: Mapping[str, Any], root: Path
) -> dict[str, Any]:
    """Runs the launcher of the task at a place as its container would, with outputs in ``root``.

    Returns what the task wrote: the executor's output, if any, and ``gcp_resources``.
    """
    task = spec["components"][place[0]]["dag"]["tasks"][place[1]]
    component = spec["components"][task["componentRef"]["name"]]
    container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    launcher = importlib.import_module(container["command"][-1])
    message = ComponentSpec()
    json_format.ParseDict(component, message)
    executor_input = executor_input_utils.executor_input_to_dict(
        executor_input_utils.construct_executor_input(
            message, arguments(task, channels), str(root), block_input_artifact=False
        ),
        message,
    )
    # kfp.local knows no escaping; what Vertex AI makes of it is a string within a string of JSON.
    given = [_marked(argument) for argument in container["args"]]
    resolved = placeholder_utils.replace_placeholders(
        given, executor_input, "run-1", place[1], str(root), "run-1"
    )
    escaped = json.dumps(json.dumps(executor_input))[1:-1]
    launcher.main([argument.replace(MARK, escaped) for argument in resolved])
    output: dict[str, Any] = {}
    if (root / "executor_output.json").exists():
        output = json.loads((root / "executor_output.json").read_text())
    return {**output, "gcp_resources": json.loads((root / "gcp_resources").read_text())}


def _marked(argument: Any) -> Any:
    return argument.replace(ESCAPED_INPUT, MARK) if isinstance(argument, str) else argument


def arguments(task: specs.Spec, channels: Mapping[str, Any]) -> dict[str, Any]:
    """The task's arguments: constants of the spec, and what comes through its channels."""
    found: dict[str, Any] = {}
    for name, source in task["inputs"]["parameters"].items():
        if "runtimeValue" in source:
            found[name] = source["runtimeValue"]["constant"]
        else:
            found[name] = channels[source["componentInputParameter"].removeprefix(CHANNEL)]
    for name, source in task["inputs"].get("artifacts", {}).items():
        if produced := source.get("taskOutputArtifact"):
            found[name] = channels[f"{produced['producerTask']}-{produced['outputArtifactKey']}"]
        else:
            found[name] = channels[source["componentInputArtifact"].removeprefix(CHANNEL)]
    return found
