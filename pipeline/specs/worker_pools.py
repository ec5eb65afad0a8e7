"""The worker pools of a CustomJob inside a compiled spec.

Google's factory leaves them as the default of a parameter, ``worker_pool_specs``. Every argument
of a task is also part of the executor input that each worker gets, so each worker would get the
code once for itself and once for every pool. Here only the launcher's argument has the pools.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.specs.spec import Spec, map_containers

PARAMETER: Final = "worker_pool_specs"
PLACEHOLDER: Final = f"{{{{$.inputs.parameters['{PARAMETER}']}}}}"
KEY: Final = f'"{PARAMETER}": '
ESCAPED_INPUT: Final = "{{$.json_escape[1]}}"
"""What becomes the executor input as a string within a string of JSON."""
EXECUTOR_INPUT: Final = "{{$}}"

Pools = list[dict[str, Any]]


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
        text = json.dumps(json.loads(json.dumps(found[label]), parse_float=_number))
        return {**container, "args": [arg.replace(PLACEHOLDER, text) for arg in container["args"]]}

    return map_containers({**spec, "components": components}, change)


def read(container: Mapping[str, Any]) -> Pools | None:
    """The worker pools of a CustomJob's launcher; None for every other container."""
    for argument in container.get("args", []):
        if isinstance(argument, str) and (at := argument.find(KEY)) >= 0:
            pools: Pools = json.JSONDecoder().raw_decode(argument, at + len(KEY))[0]
            return pools
    return None


def alone(pools: Pools) -> Spec:
    """The container that all workers have, as the container of a step."""
    own = pools[0]["container_spec"]
    args = [EXECUTOR_INPUT if arg == ESCAPED_INPUT else arg for arg in own.get("args", [])]
    more = {"command": own.get("command", []), "args": args, "env": own.get("env", [])}
    return {"image": own["image_uri"], **more}


def replicas(pools: Pools) -> int:
    """How many workers there are in all pools."""
    return sum(pool.get("replica_count", 1) for pool in pools)


def shares(spec: Spec) -> int:
    """Into how many parts workers and their accelerators divide each batch; 1 without workers."""
    executors = spec["deploymentSpec"]["executors"].values()
    found = [pools for one in executors if (pools := read(one.get("container", {})))]
    return sum(_shares(pool) for pools in found for pool in pools) or 1


def map_pools(container: Spec, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Spec:
    """The container with ``change(container_spec)`` for the container of each worker pool."""
    pools = read(container)
    if pools is None:
        return container
    changed = [{**pool, "container_spec": change(pool["container_spec"])} for pool in pools]
    before, after = json.dumps(pools), json.dumps(changed)
    return {**container, "args": [arg.replace(before, after) for arg in container["args"]]}


def _shares(pool: Mapping[str, Any]) -> int:
    accelerators = pool.get("machine_spec", {}).get("accelerator_count", 0)
    return int(pool.get("replica_count", 1)) * max(1, int(accelerators))


def _number(text: str) -> float:
    """A JSON number that is whole where the spec, which has no integers, made it a float."""
    value = float(text)
    return int(value) if value.is_integer() else value
