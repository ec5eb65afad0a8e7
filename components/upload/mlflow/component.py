"""The step that makes a version in MLflow's registry, and a manifest for KServe."""

from kfp.dsl import HTML, Artifact, Input, Model, Output

from components.embedding import step


@step(pins="upload_mlflow")
def upload(
    model: Input[Model],
    evaluation: Input[Artifact],
    report: Input[HTML],
    model_name: str,
    tracking_uri: str,
    git_revision: str,
    run_id: str,
    served_model: Output[Model],
    inference_service: Output[Artifact],
) -> None:
    """A model as a new version in MLflow's registry, and ready for TensorFlow Serving.

    Args:
        model: The SavedModel.
        evaluation: JSON of its evaluation.
        report: The page about the evaluation.
        model_name: Name of the registered model.
        tracking_uri: Address of MLflow's server; empty: the model is an artifact and no more.
        git_revision: Revision of the code; may be empty.
        run_id: The run's id in Kubeflow Pipelines.
        served_model: A directory with the SavedModel as ``1/``; metadata resourceName
            (``models:/NAME/VERSION``) and version with MLflow, digest and accuracy always.
        inference_service: YAML of a KServe ``InferenceService`` that serves it.
    """
    from pathlib import Path

    from components.upload.mlflow import registration

    served_model.metadata.update(
        registration.register(
            Path(model.path),
            Path(evaluation.path),
            Path(report.path),
            Path(served_model.path),
            served_model.uri,
            Path(inference_service.path),
            model_name=model_name,
            tracking_uri=tracking_uri,
            git_revision=git_revision,
            run_id=run_id,
        )
    )
