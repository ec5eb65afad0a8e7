"""What stands twice stands the same."""

import pytest

from components.train.component import train
from components.train.trainer.hyperparameters import Hyperparameters
from pipeline.compiler import COMPILED, PIPELINE, check_steps
from pipeline.errors import CommandError
from pipeline.specs import spec as specs
from pipeline.specs.parameters import STRUCT, resolve

SPEC = specs.load(COMPILED / PIPELINE)


def test_the_pipeline_and_the_step_have_all_hyperparameters_as_their_default() -> None:
    assert resolve(SPEC, {"bucket_uri": ""})[STRUCT] == Hyperparameters().as_dict()
    assert train.component_spec.inputs[STRUCT].default == Hyperparameters().as_dict()


def test_a_task_of_no_step_does_not_compile() -> None:
    tasks = {"extra": {"componentRef": {"name": "comp-extra"}, "taskInfo": {"name": "Extra"}}}
    with_extra = {
        **SPEC,
        "root": {"dag": {"tasks": SPEC["root"]["dag"]["tasks"] | tasks}},
        "components": SPEC["components"] | {"comp-extra": {"executorLabel": "exec-extra"}},
    }
    with_extra["deploymentSpec"]["executors"]["exec-extra"] = {}
    with pytest.raises(CommandError, match=r"the task extra is not in pipeline/steps\.py"):
        check_steps(with_extra)
