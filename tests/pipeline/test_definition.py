"""What stands twice stands the same."""

import inspect
from typing import Any

from components.train.component import train
from components.train.trainer.util import Hyperparameters
from pipeline import spec as specs
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.definition import fashion_mnist
from pipeline.parameters import complete


def defaults() -> dict[str, Any]:
    return complete({"bucket_uri": ""}, specs.load(COMPILED / PIPELINE))


def test_the_pipelines_hyperparameters_are_the_trainers() -> None:
    trainers = Hyperparameters().as_dict()
    assert {name: value for name, value in defaults().items() if name in trainers} == trainers


def test_the_pipeline_hands_every_hyperparameter_on() -> None:
    inputs = train.component_spec.inputs
    assert set(Hyperparameters().as_dict()) <= set(inputs)
    assert set(Hyperparameters().as_dict()) <= set(defaults())


def test_every_parameter_is_described() -> None:
    described = inspect.getdoc(fashion_mnist.pipeline_func) or ""
    assert [name for name in defaults() if f"    {name}: " not in described] == []
