"""The shell that starts a step gets no input as its command; the linter looks at the code."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.compiler import COMPILED
from pipeline.specs import spec as specs
from pipeline.specs import worker_pools


@pytest.mark.parametrize("path", sorted(COMPILED.rglob("*.yaml")), ids=lambda path: path.name)
def test_no_shell_command_of_a_step_holds_an_input(path: Path) -> None:
    commands = [
        command
        for executor in specs.load(path)["deploymentSpec"]["executors"].values()
        if "container" in executor
        for command in shell_commands(executor["container"])
    ]
    assert commands
    assert not any("{{" in command for command in commands)


def shell_commands(container: specs.Spec) -> Iterator[str]:
    """What a container gives to ``sh`` as a command, also in a job that it starts."""
    pools = worker_pools.read(container)
    own = container if pools is None else worker_pools.alone(pools)
    words = [*own.get("command", []), *own.get("args", [])]
    for option, command in itertools.pairwise(words):
        if option in ("-c", "-ec"):
            yield command
