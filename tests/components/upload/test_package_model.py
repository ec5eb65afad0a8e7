import json
import logging
from pathlib import Path
from typing import Any

import pytest
from google_cloud_pipeline_components.types.artifact_types import UnmanagedContainerModel
from kfp.dsl import Artifact, Metrics, Model

from components.dataset.errors import DataError
from components.upload.package_model import package_model

IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"


def package(
    evaluation: Path, unmanaged: UnmanagedContainerModel, metrics: Metrics | None = None
) -> Any:
    written = Metrics(uri=str(evaluation.with_name("registry_evaluation")))
    return package_model.python_func(
        model=Model(uri="gs://bucket/run-1/model"),
        evaluation=Artifact(uri=str(evaluation)),
        serving_image=IMAGE,
        git_revision="57cbf46",
        run_id="fashion-mnist-20261124041049",
        pipeline_name="fashion-mnist",
        unmanaged_model=unmanaged,
        registry_evaluation=metrics or written,
    )


def test_the_model_is_joined_with_its_container(evaluation_file: Path, tmp_path: Path) -> None:
    unmanaged = UnmanagedContainerModel(uri=str(tmp_path / "unmanaged"))
    package(evaluation_file, unmanaged)
    assert unmanaged.uri == "gs://bucket/run-1/model"
    assert unmanaged.metadata["containerSpec"] == {"imageUri": IMAGE}
    assert unmanaged.metadata["provenance"]["run"] == "fashion-mnist-20261124041049"
    assert unmanaged.metadata["provenance"]["metrics"]["accuracy"] == 0.93649
    assert json.loads(json.dumps(unmanaged.metadata)) == unmanaged.metadata


def test_the_evaluation_is_written_for_the_registry(
    evaluation_file: Path, evaluation: dict[str, Any]
) -> None:
    metrics = Metrics(uri=str(evaluation_file.with_name("registry_evaluation")))
    package(evaluation_file, UnmanagedContainerModel(), metrics)
    assert metrics.metadata["model_digest"] == evaluation["model_digest"]
    content = json.loads(evaluation_file.with_name("registry_evaluation").read_text())
    (overall,) = content["slicedMetrics"]
    assert overall["metrics"]["classification"]["logLoss"] == 0.18765


def test_labels_aliases_and_description_come_in_the_order_of_the_outputs(
    evaluation_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        labels, aliases, description = package(evaluation_file, UnmanagedContainerModel())
    assert labels["accuracy"] == "0_9365"
    assert labels["git_revision"] == "57cbf46"
    assert aliases == ["default", "fashion-mnist-20261124041049"]
    assert description.startswith("Test accuracy 0.9365")
    assert caplog.messages[-1].endswith(description)
    outputs = list(package_model.component_spec.outputs)
    assert [name for name in outputs if name not in ("unmanaged_model", "registry_evaluation")] == [
        "labels",
        "aliases",
        "description",
    ]


def test_an_evaluation_that_is_gone_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--no-cache"):
        package(tmp_path / "gone", UnmanagedContainerModel())
