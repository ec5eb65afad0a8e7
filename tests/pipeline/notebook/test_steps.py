"""What is known of each step against the compiled pipeline."""

from typing import Any

import pytest

from pipeline.local import run as local
from pipeline.notebook import steps
from pipeline.specs import spec as specs


@pytest.fixture(scope="module")
def tasks() -> dict[str, Any]:
    """The six tasks of the compiled pipeline, the upload out of its condition."""
    spec = specs.load(local.DEFAULT_SPEC)
    found: dict[str, Any] = dict(spec["root"]["dag"]["tasks"])
    (condition,) = [name for name in found if name.startswith("condition")]
    del found[condition]
    inner = spec["components"][f"comp-{condition}"]["dag"]["tasks"]
    return {name.replace("-", "_"): task for name, task in {**found, **inner}.items()}


def test_the_steps_are_those_of_the_pipeline(tasks: dict[str, Any]) -> None:
    assert set(tasks) == set(steps.STEPS)


def test_each_input_reads_the_output_that_the_pipeline_gives_it(tasks: dict[str, Any]) -> None:
    for step, task in tasks.items():
        for kind in ("artifacts", "parameters"):
            for name, given in task["inputs"].get(kind, {}).items():
                assert steps.source_of(step, name) == wired(given), f"{step}.{name}"


def wired(given: Any) -> tuple[str, str] | None:
    """Step and output that an input of a compiled task reads; None: a parameter or a constant."""
    if output := given.get("taskOutputArtifact") or given.get("taskOutputParameter"):
        key = output.get("outputArtifactKey") or output.get("outputParameterKey")
        return output["producerTask"].replace("-", "_"), key
    # Inside a condition an output comes as an input of the condition, named after both.
    channel = given.get("componentInputArtifact") or given.get("componentInputParameter") or ""
    for step in steps.STEPS:
        prefix = f"pipelinechannel--{step.replace('_', '-')}-"
        if channel.startswith(prefix):
            return step, channel.removeprefix(prefix)
    return None


def test_what_depends_on_a_step_is_all_that_reads_it() -> None:
    assert steps.depending_on("ingest") == {"decode", "train", "evaluate", "upload"}
    assert steps.depending_on("train") == {"evaluate", "upload"}
    assert steps.depending_on("find_champion") == {"evaluate", "upload"}
    assert steps.depending_on("upload") == set()


def test_a_task_of_the_pipeline_belongs_to_a_step() -> None:
    leaves = [name for name, _ in specs.leaf_tasks(specs.load(local.DEFAULT_SPEC))]
    assert {steps.step_of(name) for name in leaves} == set(steps.STEPS)
