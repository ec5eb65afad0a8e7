"""The step that packages a model with its serving container for the Model Registry."""

from typing import NamedTuple

from google_cloud_pipeline_components.types.artifact_types import UnmanagedContainerModel
from kfp.dsl import Artifact, Input, Metrics, Model, Output

from components.embedding import step
from components.upload.containers import SERVER


@step(pins="upload", carried=SERVER)
def package_model(
    model: Input[Model],
    evaluation: Input[Artifact],
    serving_image: str,
    git_revision: str,
    run_id: str,
    pipeline_name: str,
    unmanaged_model: Output[UnmanagedContainerModel],
    registry_evaluation: Output[Metrics],
) -> NamedTuple("Outputs", labels=dict, aliases=list, description=str, evaluation_name=str):  # type: ignore[valid-type]
    """Joins a model with the container that serves it, and with what the registry says of it.

    Args:
        model: The SavedModel.
        evaluation: JSON of its evaluation.
        serving_image: Container that serves the model.
        git_revision: Revision of the code; may be empty.
        run_id: The run's id, which becomes an alias of the version.
        pipeline_name: Name of the pipeline, for the label.
        unmanaged_model: The model's URI with containerSpec and provenance as metadata.
        registry_evaluation: The evaluation in Google's schema classification_metrics_1.0.0.

    Returns:
        labels: Of the version: pipeline, dataset, accuracy, model_digest, git_revision.
        aliases: Of the version: default and one for the run.
        description: Of the version: accuracy, loss, run and revision.
        evaluation_name: What the registry calls the evaluation.
    """
    import json
    import logging
    from pathlib import Path

    from components.dataset.errors import DataError
    from components.upload import containers, provenance, vertex_evaluation

    scores = json.loads(Path(evaluation.path).read_text())
    if "dataset" not in scores:
        raise DataError("the evaluation is of an earlier version; run the pipeline again")
    origin = {"pipeline_name": pipeline_name, "git_revision": git_revision}
    unmanaged_model.uri = model.uri
    unmanaged_model.metadata["containerSpec"] = containers.container_spec(serving_image)
    unmanaged_model.metadata["provenance"] = provenance.provenance(scores, run_id=run_id, **origin)
    sliced = vertex_evaluation.sliced_metrics(scores)
    registry_evaluation.metadata.update(vertex_evaluation.NO_EXPLANATION)
    registry_evaluation.metadata["model_digest"] = scores["model_digest"]
    Path(registry_evaluation.path).write_text(json.dumps(sliced, allow_nan=False))
    labels = provenance.labels(scores, **origin)
    aliases = [provenance.DEFAULT_ALIAS, provenance.run_alias(run_id)]
    description = provenance.description(scores, run_id=run_id, **origin)
    logging.getLogger(__name__).info(
        "Packaged %s with %s: %s", model.uri, serving_image, description
    )
    return labels, aliases, description, vertex_evaluation.display_name(scores)
