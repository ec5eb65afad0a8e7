"""The stand-ins have the steps' interfaces, and do on a directory what the service does."""

import json
from pathlib import Path
from typing import Any

import pytest
from google_cloud_pipeline_components.types.artifact_types import (
    UnmanagedContainerModel,
    VertexModel,
)
from kfp.dsl import Model

from pipeline.local import run as local
from pipeline.local import stand_ins
from pipeline.runs import registry as registries
from pipeline.runs.registry import Registry, RegistryError
from pipeline.specs import spec as specs

NAME = "fashion-mnist"


@pytest.fixture(autouse=True)
def environment(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registries.ENVIRONMENT, str(registry.root))
    monkeypatch.setenv("FASHION_MNIST_SPEC_DIGEST", "5bec")


def find(alias: str = "default") -> tuple[bool, Model, VertexModel]:
    champion, parent = Model(), VertexModel()
    exists = stand_ins.find_champion.python_func(
        model_name=NAME,
        champion_alias=alias,
        project="",
        location="",
        champion=champion,
        parent=parent,
    )
    return exists, champion, parent


def upload(
    saved_model: Path, parent: VertexModel | None = None, place: Path = Path("/steps/upload/model")
) -> VertexModel:
    model = VertexModel(uri=str(place))
    stand_ins.model_upload.python_func(
        display_name=NAME,
        model=model,
        description="Test accuracy 0.9365.",
        parent_model=parent,
        unmanaged_container_model=UnmanagedContainerModel(
            uri=str(saved_model),
            metadata={
                "containerSpec": {"imageUri": "image"},
                "provenance": {"digests": {"model": "d1"}},
            },
        ),
        version_aliases=["default", "run-1"],
        labels={"accuracy": "0_9365"},
    )
    return model


def test_an_empty_registry_has_no_champion(registry: Registry) -> None:
    exists, champion, parent = find()
    assert not exists
    assert champion.uri == str(registry.root)
    assert champion.metadata == parent.metadata == {}


def test_the_upload_is_found_as_the_champion(registry: Registry, saved_model: Path) -> None:
    upload(saved_model)
    exists, champion, parent = find()
    assert exists
    assert champion.uri == str(registry.root / NAME / "1")
    assert champion.metadata == {
        "resourceName": registries.resource_name(NAME, 1),
        "version": "1",
        "digest": "d1",
    }
    assert parent.metadata == {"resourceName": registries.resource_name(NAME)}
    exists, champion, _ = find("none")
    assert exists
    assert not champion.metadata
    with pytest.raises(RegistryError, match=r"'staging'.*default"):
        find("staging")


def test_a_version_says_where_it_comes_from_and_has_its_evaluation(
    registry: Registry, saved_model: Path, tmp_path: Path
) -> None:
    packaged = tmp_path / "steps" / "package-model" / "registry_evaluation"
    packaged.parent.mkdir(parents=True)
    content = {"slicedMetrics": [{"metrics": {"classification": {"logLoss": 0.2}}}]}
    packaged.write_text(json.dumps(content))
    upload(saved_model, place=tmp_path / "steps" / "model-upload-2" / "model")
    (version,) = registry.versions(NAME)
    assert version.aliases == ("default", "run-1")
    assert version.facts["containerSpec"] == {"imageUri": "image"}
    assert version.facts["labels"] == {"accuracy": "0_9365"}
    assert version.facts["spec_digest"] == "5bec"
    evaluation = json.loads((version.path / "evaluation.json").read_text())
    assert evaluation == {"logLoss": 0.2, "model_digest": "d1"}


@pytest.mark.parametrize("parent", ["team@home", f"{NAME}@7"])
def test_a_parent_names_the_model(registry: Registry, saved_model: Path, parent: str) -> None:
    given = VertexModel(metadata={"resourceName": registries.resource_name(parent)})
    home = registry.root / parent.removesuffix("@7")
    assert upload(saved_model, given).uri == str(home / "1")


@pytest.mark.parametrize("name", ["find_champion", "model_upload", "model_evaluation_import"])
def test_a_stand_in_takes_and_gives_what_the_step_does(name: str) -> None:
    step = specs.load(local.DEFAULT_SPEC)["components"][f"comp-{name.replace('_', '-')}"]
    own: Any = getattr(stand_ins, name).component_spec
    inputs, outputs = step["inputDefinitions"], step["outputDefinitions"]
    assert set(own.inputs) <= {*inputs.get("parameters", {}), *inputs.get("artifacts", {})}
    assert set(outputs.get("artifacts", {})) <= set(own.outputs or {})
