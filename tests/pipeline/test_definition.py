"""What stands twice stands the same."""

import re
from typing import Any

from components.train.component import train
from components.train.trainer.util import Hyperparameters
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.specs import spec as specs
from pipeline.specs.parameters import complete, describe

SPEC = specs.load(COMPILED / PIPELINE)


def defaults() -> dict[str, Any]:
    return complete({"bucket_uri": ""}, SPEC)


def test_the_pipelines_hyperparameters_are_the_trainers() -> None:
    trainers = Hyperparameters().as_dict()
    assert {name: value for name, value in defaults().items() if name in trainers} == trainers


def test_the_pipeline_hands_every_hyperparameter_on() -> None:
    inputs = train.component_spec.inputs
    assert set(Hyperparameters().as_dict()) <= set(inputs)
    assert set(Hyperparameters().as_dict()) <= set(defaults())


def test_every_parameter_is_described() -> None:
    assert [known.name for known in describe(SPEC) if not known.description] == []


def test_the_documents_list_every_parameter_with_its_default() -> None:
    page = (PROJECT / "docs" / "parameters.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (?:`(.*)`|[a-z ]*) \| ", page, re.MULTILINE))
    assert rows == {known.name: "" if known.required else known.text for known in describe(SPEC)}
