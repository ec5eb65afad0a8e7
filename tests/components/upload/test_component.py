"""The upload as it is compiled, and the request that Google's launcher makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from google_cloud_pipeline_components.types.artifact_types import (
    UnmanagedContainerModel,
    VertexModel,
)
from kfp.dsl import Artifact, Metrics, Model

from components.upload import registry_lookup
from components.upload.package_model import package_model
from pipeline.local import run as local
from pipeline.specs import spec as specs
from tests.components.upload import launcher
from tests.components.upload.test_provenance import HOSTILE
from tests.fakes.model_service import PARENT, ModelService
from tests.fakes.storage import FakeBucket

IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
KEY = "projects/my-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
PLACEHOLDERS = {
    "{{$.pipeline_google_cloud_project_id}}": "my-project",
    "{{$.pipeline_google_cloud_location}}": "europe-west4",
    "{{$.pipeline_job_uuid}}": "4711",
    "{{$.pipeline_job_resource_name}}": f"{PARENT}/pipelineJobs/run-1",
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
    """The registry, where the launcher uploads to."""
    launcher.connect(monkeypatch, registry.url)
    return registry


def package(
    evaluation: Path, run_id: str = "run-1", revision: str = "57cbf46", folder: str = "run-1"
) -> dict[str, Any]:
    """What the tasks before the upload hand to it."""
    unmanaged = UnmanagedContainerModel()
    labels, aliases, description = package_model.python_func(
        model=Model(uri=f"gs://bucket/{folder}/model"),
        evaluation=Artifact(uri=str(evaluation)),
        serving_image=IMAGE,
        git_revision=revision,
        run_id=run_id,
        pipeline_name="fashion-mnist",
        unmanaged_model=unmanaged,
        registry_evaluation=(figures := Metrics(uri=str(evaluation.with_name("figures")))),
    )
    return {
        "package-model-registry_evaluation": figures,
        "package-model-unmanaged_model": unmanaged,
        "package-model-labels": labels,
        "package-model-aliases": aliases,
        "package-model-description": description,
        "model_name": "fashion-mnist",
    }


def uploads(spec: specs.Spec) -> dict[str, specs.Spec]:
    """The two tasks that upload, by their display names."""
    found = [spec["components"][holder]["dag"]["tasks"][name]
             for holder, name in (launcher.FIRST, launcher.NEW)]  # fmt: skip
    return {task["taskInfo"]["name"]: task for task in found}


def test_a_model_with_a_parent_is_a_new_version_and_every_other_the_first(
    spec: specs.Spec,
) -> None:
    branches = spec["components"]["comp-condition-branches-1"]["dag"]["tasks"]
    has_parent = "inputs.parameter_values['pipelinechannel--has_parent'] == true"
    assert {name: task["triggerPolicy"]["condition"] for name, task in branches.items()} == {
        "condition-2": has_parent,
        "condition-3": f"!({has_parent})",
    }
    tasks = uploads(spec)
    assert set(tasks) == {"Upload first version", "Upload new version"}
    assert "parent_model" in tasks["Upload new version"]["inputs"]["artifacts"]
    assert "parent_model" not in tasks["Upload first version"]["inputs"]["artifacts"]


def test_nothing_of_the_upload_is_cached_or_retried(spec: specs.Spec) -> None:
    package_task = spec["components"]["comp-upload"]["dag"]["tasks"]["package-model"]
    for task in (package_task, *uploads(spec).values()):
        assert not task["cachingOptions"].get("enableCache"), task["taskInfo"]
        assert "retryPolicy" not in task, task["taskInfo"]


def test_the_upload_alone_is_compiled_to_the_same_tasks(spec: specs.Spec) -> None:
    alone = specs.load(local.DEFAULT_SPEC.parent / "components" / "upload.yaml")
    whole = specs.load(local.DEFAULT_SPEC)
    assert uploads(alone) == uploads(whole)
    assert alone["root"]["dag"] == whole["components"]["comp-upload"]["dag"]


def test_the_first_version_makes_a_model(
    spec: specs.Spec, service: ModelService, evaluation_file: Path, tmp_path: Path
) -> None:
    channels = package(evaluation_file)
    output = launcher.run(spec, launcher.FIRST, channels, tmp_path / "task")
    (request,) = service.uploads
    assert not request.parent_model
    assert request.model.display_name == "fashion-mnist"
    assert request.model.artifact_uri == "gs://bucket/run-1/model"
    assert request.model.container_spec.image_uri == IMAGE
    assert list(request.model.version_aliases) == ["default", "run-1"]
    assert dict(request.model.labels) == channels["package-model-labels"]
    assert request.model.labels["accuracy"] == "0_9365"
    assert request.model.description == channels["package-model-description"]
    assert request.model.pipeline_job == f"{PARENT}/pipelineJobs/4711"
    assert not request.model.encryption_spec.kms_key_name
    (model,) = output["artifacts"]["model"]["artifacts"]
    assert model["metadata"]["resourceName"] == f"{service.versions[0].name}@1"
    (resource,) = output["gcp_resources"]["resources"]
    assert resource["resourceUri"].startswith(f"{launcher.SERVICE}/v1/{PARENT}/models/")
    assert [r.method for r in service.requests] == ["UploadModel", "GetOperation"]


def test_a_new_version_goes_to_its_parent_and_takes_the_default(
    spec: specs.Spec, service: ModelService, evaluation_file: Path, tmp_path: Path
) -> None:
    launcher.run(spec, launcher.FIRST, package(evaluation_file), tmp_path / "first")
    first = service.versions[0]
    parent = VertexModel(uri="https://example.com", metadata={"resourceName": first.name})
    channels = {**package(evaluation_file, run_id="run-2", folder="run-2"), "parent": parent}
    output = launcher.run(spec, launcher.NEW, channels, tmp_path / "second")
    request = service.uploads[1]
    assert request.parent_model == first.name
    assert request.model.display_name == "fashion-mnist"
    assert request.model.artifact_uri == "gs://bucket/run-2/model"
    assert request.model.container_spec.image_uri == IMAGE
    assert dict(request.model.labels) == channels["package-model-labels"]
    assert request.model.description == channels["package-model-description"]
    (model,) = output["artifacts"]["model"]["artifacts"]
    assert model["metadata"]["resourceName"] == f"{first.name}@2"
    aliases = [list(version.version_aliases) for version in service.versions]
    assert aliases == [["run-1"], ["default", "run-2"]]


def test_the_next_run_finds_what_was_uploaded(
    spec: specs.Spec,
    service: ModelService,
    bucket: FakeBucket,
    evaluation_file: Path,
    tmp_path: Path,
) -> None:
    bucket.put("run-1/model/saved_model.pb", b"graph")
    launcher.run(spec, launcher.FIRST, package(evaluation_file), tmp_path / "task")
    found = registry_lookup.look_up("fashion-mnist", "run-1", "my-project", "europe-west4")
    assert found.champion is not None
    assert found.champion.resource_name == f"{found.parent}@1"
    assert found.champion.uri == "gs://bucket/run-1/model"
    digest = json.loads(evaluation_file.read_text())["model_digest"]
    assert found.champion.digest == digest[:40]


def test_the_key_of_the_run_encrypts_the_model(
    service: ModelService, evaluation_file: Path, tmp_path: Path
) -> None:
    launcher.run(compiled(KEY), launcher.FIRST, package(evaluation_file), tmp_path / "task")
    assert service.uploads[0].model.encryption_spec.kms_key_name == KEY


def test_the_labels_of_the_run_reach_the_model_and_do_not_replace_its_own(
    spec: specs.Spec,
    service: ModelService,
    evaluation_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_the_run = {"team": "vision", "git_dirty": "false", "accuracy": "0_1"}
    monkeypatch.setenv("VERTEX_AI_PIPELINES_RUN_LABELS", json.dumps(of_the_run))
    channels = package(evaluation_file)
    launcher.run(spec, launcher.FIRST, channels, tmp_path / "task")
    labels = dict(service.uploads[0].model.labels)
    assert labels == {**of_the_run, **channels["package-model-labels"]}


@pytest.mark.parametrize("text", HOSTILE)
def test_the_service_takes_the_upload_whatever_revision_and_run_are_called(
    spec: specs.Spec, service: ModelService, evaluation_file: Path, tmp_path: Path, text: str
) -> None:
    channels = package(evaluation_file, run_id=text, revision=text)
    launcher.run(spec, launcher.FIRST, channels, tmp_path / "task")
    (request,) = service.uploads
    assert dict(request.model.labels) == channels["package-model-labels"]
    assert request.model.description == channels["package-model-description"]
    assert len(request.model.version_aliases) == 2


def test_an_upload_that_is_refused_fails_the_task_after_one_request(
    spec: specs.Spec, service: ModelService, evaluation_file: Path, tmp_path: Path
) -> None:
    service.fail("UploadModel", 403)
    with pytest.raises(ValueError, match="PERMISSION_DENIED"):
        launcher.run(spec, launcher.FIRST, package(evaluation_file), tmp_path / "task")
    assert [request.method for request in service.requests] == ["UploadModel"]
