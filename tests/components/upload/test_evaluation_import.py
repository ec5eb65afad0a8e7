"""The evaluation's way into the registry: Google's launcher, and the request it makes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import PermissionDenied
from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from google_cloud_pipeline_components.types.artifact_types import VertexModel
from kfp.dsl import Metrics

from components.upload import vertex_evaluation
from pipeline.specs import spec as specs
from tests.components.upload import launcher
from tests.components.upload.test_component import compiled
from tests.fakes import vertex_grpc
from tests.fakes.model_service import PARENT
from tests.fakes.vertex_grpc import Service

VERSION = f"{PARENT}/models/1000@3"
SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/classification_metrics_1.0.0.yaml"
BRANCHES = {
    "Upload first version": (launcher.FIRST, launcher.FIRST_EVALUATION),
    "Upload new version": (launcher.NEW, launcher.NEW_EVALUATION),
}


@pytest.fixture(scope="module")
def spec() -> specs.Spec:
    return compiled()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with vertex_grpc.serve_grpc() as fake:
        vertex_grpc.connect(monkeypatch, fake.address)
        yield fake


def channels(place: tuple[str, str], evaluation: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the tasks before the import hand to it."""
    metrics = Metrics(
        uri=str(folder / "registry_evaluation"), metadata=dict(vertex_evaluation.NO_EXPLANATION)
    )
    Path(metrics.path).write_text(json.dumps(vertex_evaluation.sliced_metrics(evaluation)))
    model = VertexModel(uri=f"https://example.com/{VERSION}", metadata={"resourceName": VERSION})
    upload = dict(zip(BRANCHES, (launcher.FIRST, launcher.NEW), strict=True))
    (task,) = [upload[name][1] for name, places in BRANCHES.items() if places[1] == place]
    return {f"{task}-model": model, "package-model-registry_evaluation": metrics}


@pytest.mark.parametrize("place", [launcher.FIRST_EVALUATION, launcher.NEW_EVALUATION])
def test_the_evaluation_goes_to_the_version_that_was_uploaded(
    spec: specs.Spec,
    service: Service,
    evaluation: dict[str, Any],
    tmp_path: Path,
    place: tuple[str, str],
) -> None:
    root = tmp_path / "task"
    output = launcher.run(spec, place, channels(place, evaluation, tmp_path), root)
    figures = json_format.ParseDict(vertex_evaluation.classification_metrics(evaluation), Value())
    job = {
        "pipeline_job_id": "4711",
        "pipeline_job_resource_name": f"{PARENT}/pipelineJobs/run-1",
    }
    assert service.requests == [
        vertex.ImportModelEvaluationRequest(
            parent=VERSION,
            model_evaluation=vertex.ModelEvaluation(
                display_name=vertex_evaluation.DISPLAY_NAME,
                metrics_schema_uri=SCHEMA,
                metrics=figures,
                metadata=json_format.ParseDict(job, Value()),
            ),
        )
    ]
    (resource,) = output["gcp_resources"]["resources"]
    assert resource["resourceUri"].endswith(f"/v1/{VERSION}/evaluations/77")
    assert (root / "evaluation_resource_name").read_text() == f"{VERSION}/evaluations/77"


@pytest.mark.parametrize("branch", sorted(BRANCHES))
def test_each_branch_imports_the_evaluation_of_its_own_upload(
    spec: specs.Spec, branch: str
) -> None:
    (holder, upload), (_, evaluation) = BRANCHES[branch]
    tasks = spec["components"][holder]["dag"]["tasks"]
    assert tasks[upload]["taskInfo"]["name"] == branch
    produced = tasks[evaluation]["inputs"]["artifacts"]["model"]["taskOutputArtifact"]
    assert produced == {"producerTask": upload, "outputArtifactKey": "model"}
    assert not tasks[evaluation]["cachingOptions"].get("enableCache")


def test_a_refused_import_fails_the_task(
    spec: specs.Spec, service: Service, evaluation: dict[str, Any], tmp_path: Path
) -> None:
    service.failure = grpc.StatusCode.PERMISSION_DENIED
    given = channels(launcher.FIRST_EVALUATION, evaluation, tmp_path)
    with pytest.raises(PermissionDenied):
        launcher.run(spec, launcher.FIRST_EVALUATION, given, tmp_path / "task")
