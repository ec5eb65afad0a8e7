"""The stand-ins have the steps' interfaces, and do on a directory what the service does."""

import json
from pathlib import Path
from typing import Any

import pytest
from google_cloud_pipeline_components.types.artifact_types import (
    UnmanagedContainerModel,
    VertexModel,
)
from kfp.dsl import Metrics, Model

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
    saved_model: Path,
    parent: VertexModel | None = None,
    name: str = NAME,
    place: Path = Path("/steps/model-upload/model"),
) -> VertexModel:
    model = VertexModel(uri=str(place))
    (resources,) = stand_ins.model_upload.python_func(
        display_name=name,
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
    (resource,) = json.loads(resources)["resources"]
    assert resource == {"resourceType": "LocalModel", "resourceUri": model.uri}
    return model


def test_an_empty_registry_has_no_champion(registry: Registry) -> None:
    exists, champion, parent = find()
    assert not exists
    assert champion.uri == str(registry.root)
    assert not champion.metadata
    assert not parent.metadata


def test_the_upload_is_found_as_the_champion(registry: Registry, saved_model: Path) -> None:
    upload(saved_model)
    exists, champion, parent = find()
    assert exists
    assert Path(champion.uri, "saved_model.pb").read_bytes() == b"graph"
    assert champion.metadata == {
        "resourceName": registries.resource_name(NAME, 1),
        "version": "1",
        "digest": "d1",
    }
    assert parent.metadata == {"resourceName": registries.resource_name(NAME)}


def test_a_version_says_where_it_comes_from(registry: Registry, saved_model: Path) -> None:
    upload(saved_model)
    (version,) = registry.versions(NAME)
    assert version.aliases == ("default", "run-1")
    assert version.facts["containerSpec"] == {"imageUri": "image"}
    assert version.facts["labels"] == {"accuracy": "0_9365"}
    assert version.facts["description"] == "Test accuracy 0.9365."
    assert version.facts["spec_digest"] == "5bec"
    assert "provenance" not in version.facts


def test_a_model_may_have_an_at_sign_in_its_name(registry: Registry, saved_model: Path) -> None:
    parent = VertexModel(metadata={"resourceName": registries.resource_name("team@home")})
    assert upload(saved_model, parent).uri == str(registry.root / "team@home" / "1")


def test_a_parent_takes_the_version_whatever_the_display_name(
    registry: Registry, saved_model: Path
) -> None:
    upload(saved_model)
    _, champion, parent = find()
    model = upload(saved_model, VertexModel(metadata=dict(parent.metadata)), name="other")
    assert model.metadata["resourceName"] == registries.resource_name(NAME, 2)
    of_version = VertexModel(metadata={"resourceName": champion.metadata["resourceName"]})
    assert upload(saved_model, of_version).uri == str(registry.root / NAME / "3")
    assert registry.models() == [NAME]


def test_no_champion_is_asked_for_with_none(saved_model: Path) -> None:
    upload(saved_model)
    exists, champion, parent = find("none")
    assert exists
    assert not champion.metadata
    assert parent.metadata["resourceName"] == registries.resource_name(NAME)


def test_an_unknown_alias_is_refused_with_what_there_is(saved_model: Path) -> None:
    upload(saved_model)
    with pytest.raises(RegistryError, match=r"'staging'.*default"):
        find("staging")


def test_an_evaluation_lies_beside_the_version_it_is_of(
    registry: Registry, saved_model: Path, tmp_path: Path
) -> None:
    upload(saved_model)
    second = upload(saved_model, VertexModel(metadata={"resourceName": f"x/{NAME}"}))
    content = {"slicedMetrics": [{"metrics": {"classification": {"logLoss": 0.2}}}]}
    (tmp_path / "metrics").write_text(json.dumps(content))
    resources, name = stand_ins.model_evaluation_import.python_func(
        model=second,
        metrics=Metrics(uri=str(tmp_path / "metrics"), metadata={"model_digest": "d1"}),
        problem_type="classification",
    )
    first, second_version = registry.versions(NAME)
    evaluation = json.loads((second_version.path / "evaluation.json").read_text())
    assert evaluation == {"logLoss": 0.2, "model_digest": "d1"}
    assert not (first.path / "evaluation.json").exists()
    assert name == f"{registries.resource_name(NAME, 2)}/evaluations/1"
    assert json.loads(resources)["resources"][0]["resourceUri"] == str(second_version.path)


def test_an_upload_takes_the_packaged_evaluation_along(
    registry: Registry, saved_model: Path, tmp_path: Path
) -> None:
    packaged = tmp_path / "steps" / "package-model" / "registry_evaluation"
    packaged.parent.mkdir(parents=True)
    content = {"slicedMetrics": [{"metrics": {"classification": {"logLoss": 0.2}}}]}
    packaged.write_text(json.dumps(content))
    upload(saved_model, place=tmp_path / "steps" / "model-upload-2" / "model")
    (version,) = registry.versions(NAME)
    evaluation = json.loads((version.path / "evaluation.json").read_text())
    assert evaluation == {"logLoss": 0.2, "model_digest": "d1"}


@pytest.mark.parametrize(
    ("component", "stand_in"),
    [
        ("comp-find-champion", stand_ins.find_champion),
        ("comp-model-upload", stand_ins.model_upload),
        ("comp-model-evaluation-import", stand_ins.model_evaluation_import),
    ],
)
def test_a_stand_in_takes_and_gives_what_the_step_does(component: str, stand_in: Any) -> None:
    step = specs.load(local.DEFAULT_SPEC)["components"][component]
    own = stand_in.component_spec
    inputs = step["inputDefinitions"]
    taken = {*inputs.get("parameters", {}), *inputs.get("artifacts", {})}
    assert set(own.inputs) <= taken
    outputs = step["outputDefinitions"]
    assert set(own.outputs) == {*outputs.get("parameters", {}), *outputs.get("artifacts", {})}
