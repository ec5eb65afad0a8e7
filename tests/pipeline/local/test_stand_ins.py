"""The stand-ins have the steps' interfaces, and find the champion in a folder."""

from pathlib import Path
from typing import Any

import pytest
from google_cloud_pipeline_components.types.artifact_types import (
    VertexModel,
)
from kfp.dsl import Model

from pipeline.local import run as local
from pipeline.local import stand_ins
from pipeline.runs import registry as registries
from pipeline.runs.registry import Registry
from pipeline.runs.version_record import RegistryError
from pipeline.specs import spec as specs

NAME = "fashion-mnist"


@pytest.fixture(autouse=True)
def environment(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registries.ENVIRONMENT, str(registry.root))


def find(alias: str = "default") -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """Whether there is a model, and the metadata of the champion and of its parent."""
    champion, parent = Model(), VertexModel()
    exists = stand_ins.find_champion.python_func(
        model_name=NAME,
        champion_alias=alias,
        project="",
        location="",
        champion=champion,
        parent=parent,
    )
    return exists, champion.metadata, parent.metadata


def test_the_champion_is_the_version_with_the_alias(registry: Registry, saved_model: Path) -> None:
    assert find() == (False, {}, {})
    registry.add_version(NAME, saved_model, {"digests": {"model": "d1"}}, ["default"])
    name = registries.resource_name(NAME, 1)
    found = {"resourceName": name, "version": "1", "digest": "d1"}
    parent = {"resourceName": registries.resource_name(NAME)}
    assert find() == (True, found, parent)
    assert find("none") == (True, {}, parent)
    with pytest.raises(RegistryError, match=r"'staging'.*default"):
        find("staging")


@pytest.mark.parametrize("name", ["find_champion", "model_upload", "model_evaluation_import"])
def test_a_stand_in_takes_and_gives_what_the_step_does(name: str) -> None:
    step = specs.load(local.DEFAULT_SPEC)["components"][f"comp-{name.replace('_', '-')}"]
    own: Any = getattr(stand_ins, name).component_spec
    inputs, outputs = step["inputDefinitions"], step["outputDefinitions"]
    assert set(own.inputs) <= {*inputs.get("parameters", {}), *inputs.get("artifacts", {})}
    assert set(outputs.get("artifacts", {})) <= set(own.outputs or {})
