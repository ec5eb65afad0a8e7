"""The upload: a small pipeline of its own that ends with a version in the Model Registry."""

import warnings
from typing import Final

from google_cloud_pipeline_components.types.artifact_types import VertexModel
from google_cloud_pipeline_components.v1.model import ModelUploadOp
from kfp import dsl
from kfp.dsl import Artifact, Input, Model

from components.upload.package_model import package_model
from components.upload.vertex_evaluation import PROBLEM_TYPE

with warnings.catch_warnings():
    # Other components in its package have a base image that it warns about.
    warnings.simplefilter("ignore", FutureWarning)
    from google_cloud_pipeline_components.preview.model_evaluation import ModelImportEvaluationOp

PIPELINE: Final = "fashion-mnist"
"""Name of the pipeline in the version's label."""
LOCATION: Final = "{{$.pipeline_google_cloud_location}}"
ENCRYPTION_KEY: Final = "{{$.pipeline_encryption_key_name}}"


def _import_evaluation(uploaded: dsl.PipelineTask, package: dsl.PipelineTask) -> None:
    ModelImportEvaluationOp(
        model=uploaded.outputs["model"],
        metrics=package.outputs["registry_evaluation"],
        problem_type=PROBLEM_TYPE,
        display_name=package.outputs["evaluation_name"],
    ).set_display_name("Import evaluation").set_caching_options(False).set_retry(
        num_retries=2, backoff_duration="10s", backoff_factor=2
    )


@dsl.pipeline(name="upload", description="Upload a model to the Model Registry as a new version.")
def upload(
    model: Input[Model],
    evaluation: Input[Artifact],
    parent: Input[VertexModel],
    has_parent: bool,
    model_name: str,
    serving_image: str,
    git_revision: str,
) -> None:
    """A model into the Model Registry, as its first version or as a new one.

    1. Package the model with its serving container, labels, aliases and description.
    2. Upload it: with a parent as a new version of it, otherwise as a model of its own.
    3. Import its evaluation, so that the version's page shows it.

    A failed upload is not retried: the operation would be posted again and make a second version.
    The import is: at worst the version has its evaluation twice.

    Args:
        model: The SavedModel.
        evaluation: JSON of its evaluation.
        parent: The model of that name, when there is one.
        has_parent: Whether there is one.
        model_name: Display name in the Model Registry.
        serving_image: Container that serves the model.
        git_revision: Revision of the code; may be empty.
    """
    package = (
        package_model(
            model=model,
            evaluation=evaluation,
            serving_image=serving_image,
            git_revision=git_revision,
            run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
            pipeline_name=PIPELINE,
        )
        .set_display_name("Package model")
        .set_caching_options(False)
    )
    version = {
        "display_name": model_name,
        "description": package.outputs["description"],
        "labels": package.outputs["labels"],
        "version_aliases": package.outputs["aliases"],
        "unmanaged_container_model": package.outputs["unmanaged_model"],
        "location": LOCATION,
        "encryption_spec_key_name": ENCRYPTION_KEY,
    }
    with dsl.If(has_parent == True, name="model exists"):  # noqa: E712
        added = ModelUploadOp(parent_model=parent, **version).set_display_name("Upload new version")
        _import_evaluation(added.set_caching_options(False), package)
    with dsl.Else(name="first of its name"):
        first = ModelUploadOp(**version).set_display_name("Upload first version")
        _import_evaluation(first.set_caching_options(False), package)
