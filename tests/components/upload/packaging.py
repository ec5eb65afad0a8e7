"""The step that packages a model, run in this process."""

from pathlib import Path
from typing import Any

from google_cloud_pipeline_components.types.artifact_types import UnmanagedContainerModel
from kfp.dsl import Artifact, Metrics, Model

from components.upload.containers import STOCK
from components.upload.package_model import package_model


def package(evaluation: Path, run: str = "run-1", revision: str = "57cbf46") -> dict[str, Any]:
    """What the tasks before the upload hand to it."""
    unmanaged = UnmanagedContainerModel()
    figures = Metrics(uri=str(evaluation.with_name("figures")))
    labels, aliases, description, name = package_model.python_func(
        model=Model(uri="gs://bucket/run/model"),
        evaluation=Artifact(uri=str(evaluation)),
        serving_image=STOCK,
        git_revision=revision,
        run_id=run,
        pipeline_name="fashion-mnist",
        unmanaged_model=unmanaged,
        registry_evaluation=figures,
    )
    return {
        "package-model-registry_evaluation": figures,
        "package-model-unmanaged_model": unmanaged,
        "package-model-labels": labels,
        "package-model-aliases": aliases,
        "package-model-description": description,
        "package-model-evaluation_name": name,
        "model_name": "fashion-mnist",
    }
