"""Runs the command of one task as KFP's launcher does, in a folder of its own.

Read from ``backend/src/v2/component/launcher_v2.go`` of KFP's backend 2.17.0. In two things it is
stricter: a declared output must be written, which the next major asks for, and a placeholder that
is left in the command is an error.
"""

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorOutput

from pipeline.specs.spec import Spec
from tests.kubeflow.metadata import plain
from tests.kubeflow.store import Bucket, LauncherError, Store, local_path

MOUNTS = Path(__file__).with_name("mounts")
LEFT = re.compile(r"\{\{\$.*?\}\}")
LOGS = "executor-logs"
SECONDS = 900


class StepFailed(LauncherError):
    """The command ended with an error; the text is what it printed."""


def launch(
    container: Spec,
    component: Spec,
    executor_input: dict[str, Any],
    bucket: Bucket,
    store: Store,
    pod: Path,
    environment: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Output parameters and output artifacts by name, after the files were copied to the bucket.

    Raises:
        LauncherError: A rule was broken.
    """
    given = plain(_in_pod(_with_defaults(executor_input, component), pod))
    command = [*container["command"], *container.get("args", [])]
    command = [_filled(word, given, pod) for word in command]
    for artifacts in given["inputs"]["artifacts"].values():
        for artifact in artifacts["artifacts"]:
            _download(artifact["uri"], bucket, store, pod)
    outputs = given["outputs"]
    for uri in (one["artifacts"][0]["uri"] for one in outputs["artifacts"].values()):
        local_path(uri, pod).parent.mkdir(parents=True, exist_ok=True)
    for one in outputs["parameters"].values():
        Path(one["outputFile"]).parent.mkdir(parents=True, exist_ok=True)
    _execute(
        command,
        local_path(outputs["artifacts"][LOGS]["artifacts"][0]["uri"], pod),
        pod,
        environment,
    )
    said = _said(Path(outputs["outputFile"]))
    parameters = said.get("parameterValues", {})
    for name, one in outputs["parameters"].items():
        if name not in parameters:
            parameters[name] = _parameter(name, one, component)
    return parameters, _uploaded(
        outputs["artifacts"], said.get("artifacts", {}), bucket, store, pod
    )


def _with_defaults(executor_input: dict[str, Any], component: Spec) -> dict[str, Any]:
    given = copy.deepcopy(executor_input)
    for name, one in component.get("inputDefinitions", {}).get("parameters", {}).items():
        if "defaultValue" in one:
            given["inputs"]["parameterValues"].setdefault(name, one["defaultValue"])
    return given


def _in_pod(given: dict[str, Any], pod: Path) -> dict[str, Any]:
    """The executor input with the files that it names below the pod's folder."""
    outputs = given["outputs"]
    outputs["outputFile"] = f"{pod}{outputs['outputFile']}"
    for one in outputs["parameters"].values():
        one["outputFile"] = f"{pod}{one['outputFile']}"
    return given


def _filled(word: str, given: dict[str, Any], pod: Path) -> str:
    filled = word.replace("{{$}}", json.dumps(given, ensure_ascii=False))
    for side in ("inputs", "outputs"):
        for name, one in given[side]["artifacts"].items():
            uri = one["artifacts"][0]["uri"]
            filled = filled.replace(f"{{{{$.{side}.artifacts['{name}'].uri}}}}", uri)
            path = f"{{{{$.{side}.artifacts['{name}'].path}}}}"
            if path in filled:
                filled = filled.replace(path, str(local_path(uri, pod)))
    for name, value in given["inputs"]["parameterValues"].items():
        text = value if isinstance(value, str) else json.dumps(value)
        filled = filled.replace(f"{{{{$.inputs.parameters['{name}']}}}}", text)
    if left := LEFT.search(filled):
        raise LauncherError(f"nothing fills the placeholder {left[0]}")
    return filled


def _download(uri: str, bucket: Bucket, store: Store, pod: Path) -> None:
    own = f"{bucket.scheme}{bucket.name}/{bucket.prefix}".rstrip("/")
    source = bucket if uri.startswith(own) else Bucket.of(uri, whole=True)
    store.download(source, uri, local_path(uri, pod))


def _execute(command: list[str], log: Path, pod: Path, environment: Mapping[str, str]) -> None:
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(pod / "home"),
        "TMPDIR": str(pod / "tmp"),
        "PYTHONPATH": str(MOUNTS),
        "POD_ROOT": str(pod),
    }
    for name in ("home", "tmp"):
        (pod / name).mkdir(exist_ok=True)
    with log.open("w") as file:
        done = subprocess.run(
            command,
            cwd=pod,
            env={**environment, **own},
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    if done.returncode:
        raise StepFailed(log.read_text())


def _said(path: Path) -> dict[str, Any]:
    """The executor's output file, which must be the message that the backend expects."""
    if not path.exists():
        return {}
    try:
        message = json_format.Parse(path.read_text(), ExecutorOutput())
    except json_format.ParseError as error:
        raise LauncherError(f"failed to unmarshall ExecutorOutput: {error}") from error
    said: dict[str, Any] = json_format.MessageToDict(message)
    return said


def _parameter(name: str, one: dict[str, Any], component: Spec) -> Any:
    kind = component["outputDefinitions"]["parameters"][name]["parameterType"]
    try:
        text = Path(one["outputFile"]).read_text()
    except FileNotFoundError:
        raise LauncherError(f'failed to read output parameter name="{name}"') from None
    return text if kind == "STRING" else json.loads(text.strip().lower())


def _uploaded(
    declared: dict[str, Any], said: dict[str, Any], bucket: Bucket, store: Store, pod: Path
) -> dict[str, dict[str, Any]]:
    found = {}
    for name, one in declared.items():
        artifact = one["artifacts"][0]
        if name != LOGS and (own := said.get(name, {}).get("artifacts")):
            artifact["uri"] = own[0].get("uri") or artifact["uri"]
            artifact["metadata"] = {**artifact.get("metadata", {}), **own[0].get("metadata", {})}
        bucket.key(artifact["uri"])
        try:
            store.upload(local_path(artifact["uri"], pod), bucket, artifact["uri"])
        except FileNotFoundError:
            raise LauncherError(f"the output {name} was not written") from None
        found[name] = artifact
    return found
