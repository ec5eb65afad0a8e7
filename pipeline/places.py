"""What differs between the places where the pipeline runs: its registry, and how it trains."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from kfp import dsl

from components.train.component import train
from components.upload import component as vertex_upload
from components.upload import find_champion as vertex_look_up
from components.upload.containers import STOCK
from components.upload.mlflow import component as mlflow_upload
from components.upload.mlflow import find_champion as mlflow_look_up

PROJECT: Final = "{{$.pipeline_google_cloud_project_id}}"
LOCATION: Final = "{{$.pipeline_google_cloud_location}}"
TRAIN_CPU: Final = "1"
TRAIN_MEMORY: Final = "2G"
"""What the training asks of a cluster, unless more is asked for."""

Own = Mapping[str, Any]
"""The place's own parameters by name."""
Step = Callable[..., dsl.PipelineTask]
"""Makes the task of a step, from the inputs of the component by name."""


class Place(NamedTuple):
    """Where the pipeline runs.

    Attributes:
        parameters: Has the signature and the documentation of the parameters that only this place
            has.
        train: From the inputs of the component ``train``.
        find_champion: From ``own`` and the model's name; its output ``champion`` has the version.
        upload: From ``own``, the inputs ``model``, ``evaluation`` and ``report``, the task that
            found the champion, model's name and revision.
    """

    parameters: Callable[..., None]
    train: Step
    find_champion: Step
    upload: Step


def vertex_parameters(
    bucket_uri: str, champion_alias: str = "default", serving_image: str = STOCK
) -> None:
    """Those of Vertex AI, and of a run on this machine.

    Args:
        bucket_uri: Where the raw files and the checkpoints are kept: ``gs://bucket`` or
            ``gs://bucket/prefix``.
        champion_alias: Alias of the version to compare with; ``none``: compare with nothing.
        serving_image: Container that serves the uploaded model.
    """


def train_on_vertex(*, own: Own, **inputs: Any) -> dsl.PipelineTask:
    """Trains in the step's own container, and resumes from the bucket."""
    task: dsl.PipelineTask = train(bucket_uri=own["bucket_uri"], **inputs)
    return task.set_cpu_limit("8").set_memory_limit("16G")


def _find_on_vertex(*, own: Own, model_name: str) -> dsl.PipelineTask:
    task: dsl.PipelineTask = vertex_look_up.find_champion(
        model_name=model_name,
        champion_alias=own["champion_alias"],
        project=PROJECT,
        location=LOCATION,
    )
    return task


def _upload_to_vertex(
    *, own: Own, champion: dsl.PipelineTask, report: Any, **inputs: Any
) -> dsl.PipelineTask:
    del report
    task: dsl.PipelineTask = vertex_upload.upload(
        parent=champion.outputs["parent"],
        has_parent=champion.outputs["Output"],
        serving_image=own["serving_image"],
        **inputs,
    )
    return task


def kubeflow_parameters(
    tracking_uri: str = "", champion_alias: str = "champion", champion_uri: str = ""
) -> None:
    """Those of Kubeflow Pipelines.

    Args:
        tracking_uri: Address of MLflow's server, whose registry has the versions; empty: there is
            none, and the uploaded model is an artifact of the run.
        champion_alias: Alias of the version to compare with; ``none``: compare with nothing.
        champion_uri: Without MLflow, the model to compare with: an address of a SavedModel
            directory (``s3://``, ``minio://`` or ``gs://``); empty: compare with nothing.
    """


def train_on_kubeflow(*, own: Own, **inputs: Any) -> dsl.PipelineTask:
    """Trains in the step's own container, on what a small cluster has free."""
    del own
    task: dsl.PipelineTask = train(**inputs)
    # A limit would also be the request, and stay pending where no machine is so large.
    return task.set_cpu_request(TRAIN_CPU).set_memory_request(TRAIN_MEMORY)


def _find_in_mlflow(*, own: Own, model_name: str) -> dsl.PipelineTask:
    task: dsl.PipelineTask = mlflow_look_up.find_champion(model_name=model_name, **own)
    return task


def _upload_to_mlflow(*, own: Own, champion: dsl.PipelineTask, **inputs: Any) -> dsl.PipelineTask:
    del champion
    task: dsl.PipelineTask = mlflow_upload.upload(
        tracking_uri=own["tracking_uri"], run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, **inputs
    )
    return task.set_caching_options(False)


VERTEX: Final = Place(vertex_parameters, train_on_vertex, _find_on_vertex, _upload_to_vertex)
KUBEFLOW: Final = Place(kubeflow_parameters, train_on_kubeflow, _find_in_mlflow, _upload_to_mlflow)
