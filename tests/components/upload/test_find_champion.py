import logging
from pathlib import Path

import pytest
from google.cloud.aiplatform_v1 import Model as Version
from google_cloud_pipeline_components.types.artifact_types import VertexModel
from kfp.dsl import Model

from components.upload.find_champion import find_champion
from components.upload.refusals import ChampionError
from tests.fakes.model_service import PARENT, ModelService
from tests.fakes.storage import FakeBucket

FASHION_MNIST = Version(
    display_name="fashion-mnist",
    artifact_uri="gs://bucket/model",
    labels={"model_digest": "feed"},
)


class Outputs:
    """The two artifacts as the executor hands them to the step."""

    def __init__(self, path: Path) -> None:
        self.champion = Model(uri=str(path / "champion"))
        self.parent = VertexModel(uri=str(path / "parent"))

    def find(self, alias: str = "default") -> bool:
        found: bool = find_champion.python_func(
            model_name="fashion-mnist",
            champion_alias=alias,
            project="my-project",
            location="europe-west4",
            champion=self.champion,
            parent=self.parent,
        )
        return found


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path)


def test_without_a_model_both_outputs_stay_without_metadata(
    registry: ModelService, outputs: Outputs, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert outputs.find() is False
    assert outputs.champion.metadata == {}
    assert outputs.parent.metadata == {}
    assert "there is no champion" in caplog.messages[-1]


def test_the_champion_and_its_model_are_the_outputs(
    registry: ModelService,
    bucket: FakeBucket,
    outputs: Outputs,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bucket.put("model/saved_model.pb", b"graph")
    name = registry.add(FASHION_MNIST).name
    with caplog.at_level(logging.INFO):
        assert outputs.find() is True
    assert outputs.champion.uri == "gs://bucket/model"
    assert outputs.champion.metadata == {
        "resourceName": f"{name}@1",
        "version": "1",
        "digest": "feed",
    }
    assert outputs.parent.metadata == {"resourceName": name}
    assert outputs.parent.uri == f"https://europe-west4-aiplatform.googleapis.com/v1/{name}"
    assert name.startswith(PARENT)
    assert "version 1 of 'fashion-mnist'" in caplog.messages[-1]


def test_the_alias_none_leaves_the_parent_for_the_upload(
    registry: ModelService, outputs: Outputs
) -> None:
    name = registry.add(FASHION_MNIST).name
    assert outputs.find("none") is True
    assert outputs.champion.metadata == {}
    assert outputs.parent.metadata == {"resourceName": name}


def test_a_refusal_fails_the_step_and_is_never_no_champion(
    registry: ModelService, outputs: Outputs
) -> None:
    registry.fail("ListModels", 403)
    with pytest.raises(ChampionError, match=r"roles/aiplatform\.viewer"):
        outputs.find()
    assert outputs.champion.metadata == {}
