"""The worker pools of a CustomJob, as they stand inside a compiled spec.

Google's factory leaves them as the default of a parameter, ``worker_pool_specs``. Every argument
of a task is also part of the executor input that each worker gets, so the code would travel with
each worker once for itself and once for every pool, in the one argument that holds the whole job.
Here the pools stand in that argument and nowhere else.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from components.dataset.redaction import one_line
from pipeline.errors import UsageError
from pipeline.specs.spec import Spec, map_containers

PARAMETER: Final = "worker_pool_specs"
PLACEHOLDER: Final = f"{{{{$.inputs.parameters['{PARAMETER}']}}}}"
KEY: Final = f'"{PARAMETER}": '
ESCAPED_INPUT: Final = "{{$.json_escape[1]}}"
"""What becomes the executor input as a string within a string of JSON."""
EXECUTOR_INPUT: Final = "{{$}}"

Pools = list[dict[str, Any]]


class _Workers(BaseModel):
    model_config = ConfigDict(strict=True)
    image_uri: str
    command: list[str] = []
    args: list[str] = []
    env: list[dict[str, str]] = []


class _Pool(BaseModel):
    model_config = ConfigDict(strict=True)
    container_spec: _Workers
    replica_count: int = Field(1, ge=1)


FORM: Final = TypeAdapter(Annotated[list[_Pool], Field(min_length=1)])
"""What of a pool is relied on here."""


def inline(spec: Spec) -> Spec:
    """The spec with the pools of each CustomJob in its launcher's argument."""
    components = dict(spec["components"])
    found: dict[str, Any] = {}
    for name, component in components.items():
        parameters = component.get("inputDefinitions", {}).get("parameters", {})
        if PARAMETER in parameters:
            found[component["executorLabel"]] = parameters[PARAMETER]["defaultValue"]
            rest = {key: value for key, value in parameters.items() if key != PARAMETER}
            inputs = {**component["inputDefinitions"], "parameters": rest}
            components[name] = {**component, "inputDefinitions": inputs}

    def change(label: str, container: Spec) -> Spec:
        if label not in found:
            return container
        text = json.dumps(_whole_numbers(found[label]))
        return {**container, "args": [arg.replace(PLACEHOLDER, text) for arg in container["args"]]}

    return map_containers({**spec, "components": components}, change)


def read(container: Mapping[str, Any]) -> Pools | None:
    """The worker pools of a CustomJob's launcher; None for every other container.

    Raises:
        UsageError: They are not such as this project compiles.
    """
    for argument in container.get("args", []):
        if isinstance(argument, str) and (at := argument.find(KEY)) >= 0:
            return _parse(argument, at + len(KEY))
    return None


def _parse(argument: str, at: int) -> Pools:
    try:
        pools: Pools = json.JSONDecoder().raw_decode(argument, at)[0]
        FORM.validate_python(pools)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "the worker pools of a CustomJob in the spec are not such as this project compiles "
            f"({one_line(error)})"
        ) from error
    return pools


def alone(pools: Pools) -> Spec:
    """The container of the workers as that of a step: all of them have the same.

    Returns:
        image, command, args and env.
    """
    own = pools[0]["container_spec"]
    args = [EXECUTOR_INPUT if arg == ESCAPED_INPUT else arg for arg in own.get("args", [])]
    more = {"command": own.get("command", []), "args": args, "env": own.get("env", [])}
    return {"image": own["image_uri"], **more}


def replicas(pools: Pools) -> int:
    """How many workers there are in all pools."""
    return sum(pool.get("replica_count", 1) for pool in pools)


def map_pools(container: Spec, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Spec:
    """The container with ``change(container_spec)`` for the container of each worker pool."""
    pools = read(container)
    if pools is None:
        return container
    changed = [{**pool, "container_spec": change(pool["container_spec"])} for pool in pools]
    before, after = json.dumps(pools), json.dumps(changed)
    return {**container, "args": [arg.replace(before, after) for arg in container["args"]]}


def _whole_numbers(value: Any) -> Any:
    """A JSON value with integers where the spec, which has none, made them floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    return value
