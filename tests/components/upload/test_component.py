"""The upload as it is compiled, and the requests that Google's launchers make of it."""

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

from components.upload import registry_lookup, vertex_evaluation
from components.upload.containers import STOCK, container_spec
from pipeline.local import run as local
from pipeline.specs import spec as specs
from tests.components.upload import launcher
from tests.components.upload.packaging import package
from tests.fakes import vertex_grpc
from tests.fakes.storage import FakeBucket
from tests.fakes.vertex import ModelService
from tests.fakes.wire import PARENT

KEY = "projects/my-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
HOSTILE = 'a "quote", {"labels": {}}, a \\ backslash,\na line, {{$.inputs}} and Ärger #1'
SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/classification_metrics_1.0.0.yaml"
PLACEHOLDERS = {
    "{{$.pipeline_google_cloud_project_id}}": "my-project",
    "{{$.pipeline_google_cloud_location}}": "europe-west4",
    "{{$.pipeline_job_uuid}}": "4711",
    "{{$.pipeline_job_resource_name}}": f"{PARENT}/pipelineJobs/run-1",
}
BRANCHES = {
    "Upload first version": (launcher.FIRST, launcher.FIRST_EVALUATION),
    "Upload new version": (launcher.NEW, launcher.NEW_EVALUATION),
}


def compiled(key: str = "") -> specs.Spec:
    """The committed pipeline with what Vertex AI would fill in."""
    values = {**PLACEHOLDERS, "{{$.pipeline_encryption_key_name}}": key}

    def fill(text: str) -> str:
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text

    filled: specs.Spec = specs.map_strings(specs.load(local.DEFAULT_SPEC), fill)
    return filled


@pytest.fixture(scope="module")
def spec() -> specs.Spec:
    return compiled()


@pytest.fixture
def service(registry: ModelService, monkeypatch: pytest.MonkeyPatch) -> ModelService:
    launcher.connect(monkeypatch, registry.url)
    return registry


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> Iterator[vertex_grpc.Service]:
    """The service that the import's launcher reaches over gRPC."""
    with vertex_grpc.serve_grpc() as fake:
        vertex_grpc.connect(monkeypatch, fake.address)
        yield fake


def task_at(spec: specs.Spec, place: tuple[str, str]) -> specs.Spec:
    found: specs.Spec = spec["components"][place[0]]["dag"]["tasks"][place[1]]
    return found


def test_a_model_with_a_parent_is_a_new_version_and_every_other_the_first(
    spec: specs.Spec,
) -> None:
    branches = spec["components"]["comp-condition-branches-1"]["dag"]["tasks"]
    has_parent = "inputs.parameter_values['pipelinechannel--has_parent'] == true"
    assert {name: task["triggerPolicy"]["condition"] for name, task in branches.items()} == {
        launcher.NEW[0].removeprefix("comp-"): has_parent,
        launcher.FIRST[0].removeprefix("comp-"): f"!({has_parent})",
    }
    for name, (place, _) in BRANCHES.items():
        task = task_at(spec, place)
        assert task["taskInfo"]["name"] == name
        assert ("parent_model" in task["inputs"]["artifacts"]) is (place == launcher.NEW)


@pytest.mark.parametrize("branch", BRANCHES)
def test_nothing_is_cached_no_upload_is_retried_and_each_imports_its_own_evaluation(
    spec: specs.Spec, branch: str
) -> None:
    package_task = spec["components"]["comp-upload"]["dag"]["tasks"]["package-model"]
    upload, evaluation = (task_at(spec, place) for place in BRANCHES[branch])
    for task in (package_task, upload, evaluation):
        assert not task["cachingOptions"].get("enableCache"), task["taskInfo"]
    assert "retryPolicy" not in package_task
    assert "retryPolicy" not in upload
    produced = evaluation["inputs"]["artifacts"]["model"]["taskOutputArtifact"]
    assert produced == {"producerTask": BRANCHES[branch][0][1], "outputArtifactKey": "model"}


def test_the_first_version_makes_a_model_which_the_next_run_finds(
    spec: specs.Spec,
    service: ModelService,
    bucket: FakeBucket,
    evaluation: dict[str, Any],
    evaluation_file: Path,
    tmp_path: Path,
) -> None:
    channels = package(evaluation_file)
    output = launcher.run(spec, launcher.FIRST, channels, tmp_path / "task")
    assert [r.method for r in service.requests] == ["UploadModel", "GetOperation"]
    (request,) = service.uploads
    assert not request.parent_model
    assert request.model.display_name == "fashion-mnist"
    assert request.model.artifact_uri == "gs://bucket/run/model"
    container = type(request.model.container_spec).pb(request.model.container_spec)
    assert json_format.MessageToDict(container) == container_spec(STOCK)
    assert list(request.model.version_aliases) == ["default", "run-1"]
    assert dict(request.model.labels) == channels["package-model-labels"]
    assert request.model.labels["accuracy"] == "0_9365"
    assert request.model.description == channels["package-model-description"]
    assert request.model.pipeline_job == f"{PARENT}/pipelineJobs/4711"
    assert not request.model.encryption_spec.kms_key_name
    (model,) = output["artifacts"]["model"]["artifacts"]
    assert model["metadata"]["resourceName"] == f"{service.versions[0].name}@1"
    bucket.put("run/model/saved_model.pb", b"graph")
    parent, found = registry_lookup.look_up("fashion-mnist", "run-1", "my-project", "europe-west4")
    assert found is not None
    assert found.resource_name == f"{parent}@1"
    assert found.digest == evaluation["model_digest"][:40]


def test_a_new_version_goes_to_its_parent_and_takes_the_default(
    spec: specs.Spec, service: ModelService, evaluation_file: Path, tmp_path: Path
) -> None:
    launcher.run(spec, launcher.FIRST, package(evaluation_file), tmp_path / "first")
    first = service.versions[0]
    parent = VertexModel(uri="https://example.com", metadata={"resourceName": first.name})
    channels = {**package(evaluation_file, run="run-2"), "parent": parent}
    output = launcher.run(spec, launcher.NEW, channels, tmp_path / "second")
    request = service.uploads[1]
    assert request.parent_model == first.name
    assert request.model.artifact_uri == "gs://bucket/run/model"
    assert dict(request.model.labels) == channels["package-model-labels"]
    assert request.model.description == channels["package-model-description"]
    (model,) = output["artifacts"]["model"]["artifacts"]
    assert model["metadata"]["resourceName"] == f"{first.name}@2"
    aliases = [list(version.version_aliases) for version in service.versions]
    assert aliases == [["run-1"], ["default", "run-2"]]


def test_key_and_labels_of_the_run_reach_the_model_whatever_revision_and_run_are_called(
    service: ModelService,
    evaluation_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_the_run = {"team": "vision", "git_dirty": "false", "accuracy": "0_1"}
    monkeypatch.setenv("VERTEX_AI_PIPELINES_RUN_LABELS", json.dumps(of_the_run))
    channels = package(evaluation_file, run=HOSTILE, revision=HOSTILE)
    launcher.run(compiled(KEY), launcher.FIRST, channels, tmp_path / "task")
    (request,) = service.uploads
    assert request.model.encryption_spec.kms_key_name == KEY
    assert dict(request.model.labels) == {**of_the_run, **channels["package-model-labels"]}
    assert request.model.description == channels["package-model-description"]
    assert len(request.model.version_aliases) == 2


def test_an_upload_that_is_refused_fails_the_task_after_one_request(
    spec: specs.Spec, service: ModelService, evaluation_file: Path, tmp_path: Path
) -> None:
    service.fail("UploadModel", 403)
    with pytest.raises(ValueError, match="UploadModel was refused"):
        launcher.run(spec, launcher.FIRST, package(evaluation_file), tmp_path / "task")
    assert [request.method for request in service.requests] == ["UploadModel"]


@pytest.mark.parametrize("branch", BRANCHES)
def test_the_evaluation_goes_to_the_version_that_was_uploaded(
    spec: specs.Spec,
    importing: vertex_grpc.Service,
    evaluation: dict[str, Any],
    evaluation_file: Path,
    tmp_path: Path,
    branch: str,
) -> None:
    (_, upload), place = BRANCHES[branch]
    version = f"{PARENT}/models/1000@3"
    model = VertexModel(uri="https://example.com", metadata={"resourceName": version})
    channels = {**package(evaluation_file), f"{upload}-model": model}
    output = launcher.run(spec, place, channels, tmp_path / "task")
    metrics = vertex_evaluation.classification_metrics(evaluation)
    job = {"pipeline_job_id": "4711", "pipeline_job_resource_name": f"{PARENT}/pipelineJobs/run-1"}
    assert importing.requests == [
        vertex.ImportModelEvaluationRequest(
            parent=version,
            model_evaluation=vertex.ModelEvaluation(
                display_name="FashionMNIST test set",
                metrics_schema_uri=SCHEMA,
                metrics=json_format.ParseDict(metrics, Value()),
                metadata=json_format.ParseDict(job, Value()),
            ),
        )
    ]
    (resource,) = output["gcp_resources"]["resources"]
    assert resource["resourceUri"].endswith(f"/v1/{version}/evaluations/77")
    importing.failure = grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(PermissionDenied):
        launcher.run(spec, place, channels, tmp_path / "again")
