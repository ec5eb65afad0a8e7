"""What KFP's driver decides about one task before its container starts.

Read from ``backend/src/v2/driver`` (``resolve.go``, ``cache.go``, ``util.go``), ``expression`` and
``cacheutils`` of KFP's backend 2.17.0.
"""

import hashlib
import json
import re
from typing import Any

from pipeline.specs import spec as specs
from tests.kubeflow.metadata import plain
from tests.kubeflow.store import LauncherError

CONDITION = re.compile(r"inputs\.parameter_values\['([^']+)'\] == (true|false)")
INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['(.+?)'\]\}\}")
TYPES: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "LIST": (list,),
    "STRUCT": (dict,),
}


def needed(task: specs.Spec) -> set[str]:
    inputs = task.get("inputs", {})
    sources = [*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()]
    outputs = [one.get("taskOutputParameter") or one.get("taskOutputArtifact") for one in sources]
    return {*task.get("dependentTasks", []), *(one["producerTask"] for one in outputs if one)}


def check(task: str, component: specs.Spec, values: dict[str, Any]) -> None:
    """Every parameter is there, or has a default in the component, and is of its type."""
    for name, one in component.get("inputDefinitions", {}).get("parameters", {}).items():
        if name not in values:
            if not one.get("isOptional") and "defaultValue" not in one:
                raise LauncherError(
                    f"{task}: neither value nor default value provided for non-optional "
                    f'parameter "{name}"'
                )
            continue
        kind, value = one["parameterType"], values[name]
        if kind == "STRING" and not isinstance(value, str):
            values[name] = json.dumps(plain(value))
        elif not isinstance(value, TYPES[kind]) or (kind != "BOOLEAN" and isinstance(value, bool)):
            raise LauncherError(f'{task}: input parameter "{name}" type mismatch: expect {kind}')


def triggered(task: specs.Spec, values: dict[str, Any]) -> bool:
    condition = task.get("triggerPolicy", {}).get("condition", "")
    if not condition:
        return True
    found = CONDITION.fullmatch(condition)
    assert found, f"the harness does not know the condition {condition}"
    value = values[found[1]]
    assert isinstance(value, bool), "a condition of another type is silently false"
    return value is (found[2] == "true")


def resolved(container: specs.Spec, values: dict[str, Any]) -> specs.Spec:
    """The container with the input parameters that the driver fills in."""

    def fill(word: str) -> str:
        if "$.outputs" in word:
            return word
        if missing := {name for name in INPUT.findall(word) if name not in values}:
            raise LauncherError(f"parameter {missing} not found in executor input")
        return INPUT.sub(lambda found: str(values[found[1]]), word)

    lists = {key: [fill(word) for word in container.get(key, [])] for key in ("command", "args")}
    return {**container, **lists}


def fingerprint(container: specs.Spec, component: specs.Spec, given: dict[str, Any]) -> str:
    """The key of the cache: the container, the inputs' ids and values, the outputs' types."""
    inputs, outputs = given["inputs"], given["outputs"]["artifacts"]
    key = {
        "inputs": {
            name: [artifact["name"] for artifact in one["artifacts"]]
            for name, one in inputs["artifacts"].items()
        },
        "parameters": inputs["parameterValues"],
        "outputs": {
            name: {k: v for k, v in one["artifacts"][0].items() if k != "uri"}
            for name, one in outputs.items()
        },
        "output parameters": component.get("outputDefinitions", {}).get("parameters", {}),
        "container": [container["image"], *container["command"], *container.get("args", [])],
    }
    return hashlib.sha256(json.dumps(plain(key), sort_keys=True).encode()).hexdigest()
