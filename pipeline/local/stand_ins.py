"""Lightweight components in place of the steps that exist only inside Google Cloud.

Each has the interface of the step it replaces and works on the local registry. It runs in the
command's own environment, so it carries no code.
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import json_format
from google_cloud_pipeline_components.types.artifact_types import (
    UnmanagedContainerModel,
    VertexModel,
)
from kfp import dsl
from kfp.dsl import Input, Metrics, Model, Output

from components.embedding import BASE_IMAGE

UPLOAD_LAUNCHER: Final = "google_cloud_pipeline_components.container.v1.model.upload_model.launcher"
IMPORT_LAUNCHER: Final = (
    "google_cloud_pipeline_components.container._implementation.model_evaluation"
    ".import_model_evaluation"
)


@dsl.component(base_image=BASE_IMAGE)
def find_champion(
    model_name: str,
    champion_alias: str,
    project: str,
    location: str,
    champion: Output[Model],
    parent: Output[VertexModel],
) -> bool:
    """Looks up the champion in the local registry; see ``components.upload.find_champion``.

    Without a champion, its URI is the registry's root: the same in every run, so that a cached
    evaluation is found.
    """
    import logging

    from pipeline.runs.registry import from_environment, resource_name

    registry = from_environment()
    log = logging.getLogger(__name__)
    champion.uri = str(registry.root)
    if not registry.versions(model_name):
        log.info("The local registry has no model %r yet: there is no champion.", model_name)
        return False
    parent.uri = str(registry.root / model_name)
    parent.metadata["resourceName"] = resource_name(model_name)
    if champion_alias == "none":
        log.info("Model %r exists, and no champion was asked for (alias none).", model_name)
        return True
    version = registry.resolve(model_name, champion_alias)
    champion.uri = str(version.path)
    champion.metadata["resourceName"] = resource_name(model_name, version.number)
    champion.metadata["version"] = str(version.number)
    champion.metadata["digest"] = version.digest
    log.info("The champion is version %d of %r, at %s.", version.number, model_name, version.path)
    return True


@dsl.component(base_image=BASE_IMAGE)
def model_upload(
    display_name: str,
    model: Output[VertexModel],
    description: str = "",
    parent_model: Input[VertexModel] = None,
    unmanaged_container_model: Input[UnmanagedContainerModel] = None,
    version_aliases: list = [],  # type: ignore[type-arg]  # noqa: B006
    labels: dict = {},  # type: ignore[type-arg]  # noqa: B006
) -> None:
    """Adds a version to the local registry; see Google's ``ModelUploadOp``.

    It takes along the evaluation that the next task would import: a kill in between must not
    leave a version without one.
    """
    import json
    import logging
    import os
    import re
    from pathlib import Path

    from pipeline.runs.registry import from_environment, resource_name

    name = display_name
    if parent_model is not None:
        name = re.sub(r"@\d+$", "", parent_model.metadata["resourceName"].rsplit("/", 1)[1])
    origin = dict(unmanaged_container_model.metadata)
    # The server's code; a version here is served with that of the checkout.
    origin["containerSpec"].pop("args", None)
    facts = {
        **origin.pop("provenance", {}),
        **origin,
        "description": description,
        "labels": labels,
        "spec_digest": os.environ.get("FASHION_MNIST_SPEC_DIGEST", ""),
    }
    evaluation = {}
    packaged = Path(model.path).parents[1] / "package-model" / "registry_evaluation"
    if packaged.exists():
        overall = json.loads(packaged.read_text())["slicedMetrics"][0]["metrics"]
        digest = facts.get("digests", {}).get("model", "")
        evaluation = {**overall["classification"], "model_digest": digest}
    source = Path(unmanaged_container_model.path)
    version = from_environment().add_version(name, source, facts, version_aliases, evaluation)
    model.uri = str(version.path)
    model.metadata["resourceName"] = resource_name(name, version.number)
    log = logging.getLogger(__name__)
    log.info("Uploaded %r as version %d, at %s.", name, version.number, version.path)


@dsl.component(base_image=BASE_IMAGE)
def model_evaluation_import(model: Input[VertexModel], metrics: Input[Metrics]) -> None:
    """Says that the evaluation is there; see Google's ``ModelImportEvaluationOp``."""
    import logging

    logging.getLogger(__name__).info("The evaluation was uploaded with %s.", model.uri)


STAND_INS: Final = {
    UPLOAD_LAUNCHER: model_upload,
    IMPORT_LAUNCHER: model_evaluation_import,
    "components.upload import registry_lookup": find_champion,
}
"""The component to run instead of the step that has a text in its command or arguments."""


def stand_in_for(container: Mapping[str, Any]) -> dict[str, Any] | None:
    """The container to run here instead of one that needs Google Cloud.

    It has kfp's ``pip install`` preamble, and reads the environment variables
    FASHION_MNIST_REGISTRY (required) and FASHION_MNIST_SPEC_DIGEST (recorded with the version).
    None for any step that runs here as it is.
    """
    words = " ".join([*container.get("command", []), *container.get("args", [])])
    for text, component in STAND_INS.items():
        if text in words:
            spec = json_format.MessageToDict(component.pipeline_spec)
            (executor,) = spec["deploymentSpec"]["executors"].values()
            replacement: dict[str, Any] = executor["container"]
            return replacement
    return None
