"""The worker pools inside the compiled distributed pipeline."""

import json
from typing import Any

import pytest

from pipeline import compiler
from pipeline.errors import CommandError
from pipeline.specs import spec as specs
from pipeline.specs import worker_pools
from pipeline.specs.worker_pools import ESCAPED_INPUT, PARAMETER, PLACEHOLDER

POOLS = [
    {"replica_count": 1.0, "container_spec": {"image_uri": "i", "command": ["c"], "args": [],
                                              "env": []}},
]  # fmt: skip


@pytest.fixture(scope="module")
def committed() -> specs.Spec:
    return specs.load(compiler.COMPILED / compiler.DISTRIBUTED_PIPELINE)


@pytest.fixture(scope="module")
def launcher(committed: specs.Spec) -> dict[str, Any]:
    container: dict[str, Any] = committed["deploymentSpec"]["executors"]["exec-train"]["container"]
    return container


def test_the_pools_stand_in_the_launchers_argument_alone(
    committed: specs.Spec, launcher: dict[str, Any]
) -> None:
    inputs = committed["components"]["comp-train"]["inputDefinitions"]["parameters"]
    assert PARAMETER not in inputs
    assert PLACEHOLDER not in json.dumps(launcher)
    pools = worker_pools.read(launcher)
    assert pools is not None
    assert [pool["replica_count"] for pool in pools] == [1, 1]
    assert worker_pools.replicas(pools) == compiler.DISTRIBUTED.replicas


def test_the_workers_run_what_the_step_of_the_plain_pipeline_runs(
    launcher: dict[str, Any],
) -> None:
    plain = specs.load(compiler.COMPILED / compiler.PIPELINE)["deploymentSpec"]["executors"]
    own = plain["exec-train"]["container"]
    pools = worker_pools.read(launcher)
    assert pools is not None
    alone = worker_pools.alone(pools)
    assert {name: alone[name] for name in ("image", "command", "args")} == {
        name: own[name] for name in ("image", "command", "args")
    }


def test_numbers_that_count_are_whole() -> None:
    component = {
        "executorLabel": "exec-x",
        "inputDefinitions": {"parameters": {PARAMETER: {"defaultValue": POOLS}, "seed": {}}},
    }
    container = {"image": "launcher", "args": [f'{{"{PARAMETER}": {PLACEHOLDER}}}']}
    spec = worker_pools.inline(
        {
            "components": {"comp-x": component},
            "deploymentSpec": {"executors": {"exec-x": {"container": container}}},
        }
    )
    (argument,) = spec["deploymentSpec"]["executors"]["exec-x"]["container"]["args"]
    assert '"replica_count": 1,' in argument
    assert json.loads(argument)[PARAMETER] == POOLS
    assert list(spec["components"]["comp-x"]["inputDefinitions"]["parameters"]) == ["seed"]


def test_every_pool_is_changed(launcher: dict[str, Any]) -> None:
    changed = worker_pools.map_pools(launcher, lambda own: {**own, "image_uri": "other"})
    pools = worker_pools.read(changed)
    assert pools is not None
    assert [pool["container_spec"]["image_uri"] for pool in pools] == ["other", "other"]


def test_a_job_with_no_room_for_its_inputs_is_refused() -> None:
    room = compiler.ARGUMENT_BYTES - 2 * compiler.EXECUTOR_INPUT_BYTES
    inputs = 2 * ESCAPED_INPUT
    for spare, fits in ((0, True), (1, False)):
        args = ["x" * (room - len(inputs) + spare) + inputs]
        spec = {"deploymentSpec": {"executors": {"exec-train": {"container": {"args": args}}}}}
        if fits:
            compiler.check_sizes(spec)
        else:
            with pytest.raises(CommandError, match="131,072 bytes of one argument"):
                compiler.check_sizes(spec)
