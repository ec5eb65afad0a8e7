"""The pipeline: six steps from the raw files to a new version in the model registry."""

from collections.abc import Callable
from typing import Any, Final

from kfp import dsl
from kfp.dsl.base_component import BaseComponent

from components.decode.component import decode
from components.evaluate.component import evaluate
from components.ingest.component import ingest
from components.train.component import train
from components.train.trainer.hyperparameters import Hyperparameters
from components.upload.component import upload
from components.upload.containers import STOCK
from components.upload.find_champion import find_champion

NAME: Final = "fashion-mnist"
DESCRIPTION: Final = (
    "Train an image classifier, on FashionMNIST or other pictures, and upload it when it is good."
)
PROJECT: Final = "{{$.pipeline_google_cloud_project_id}}"
LOCATION: Final = "{{$.pipeline_google_cloud_location}}"
HYPERPARAMETERS: Final = Hyperparameters().as_dict()
RETRY: Final = {"num_retries": 2, "backoff_duration": "10s", "backoff_factor": 2}
TrainStep = Callable[..., dsl.PipelineTask]
"""Makes the task that trains, from the inputs of the component ``train`` by name."""


def train_in_its_step(**inputs: Any) -> dsl.PipelineTask:
    """Trains in the step's own container."""
    task: dsl.PipelineTask = train(**inputs)
    return task.set_cpu_limit("8").set_memory_limit("16G")


def pipeline_around(train_step: TrainStep) -> BaseComponent:
    """The pipeline with ``train_step`` as its way to train."""

    @dsl.pipeline(name=NAME, description=DESCRIPTION)
    def fashion_mnist(
        bucket_uri: str,
        source: str = "",
        dataset: dict[str, Any] = {},  # noqa: B006
        allow_unverified: bool = False,
        shards: int = 8,
        validation_examples: int = -1,
        seed: int = 0,
        hyperparameters: dict[str, Any] = HYPERPARAMETERS,
        min_accuracy: float = 0.90,
        min_improvement: float = 0.0,
        min_recall: float = 0.0,
        champion_alias: str = "default",
        model_name: str = NAME,
        serving_image: str = STOCK,
        git_revision: str = "",
    ) -> None:
        """FashionMNIST, or other pictures, from their source to the model registry.

        1. Ingest: the four files of the data set, verified, into the bucket.
        2. Decode: training, validation and test examples as TFRecord shards.
        3. Train: a convolutional network on the training examples.
        4. Find champion: the version of the model that the registry serves today.
        5. Evaluate: challenger and champion on the same test examples; the verdict.
        6. Upload, if the verdict is good: the model as a new version.

        Args:
            bucket_uri: Where the raw files and the checkpoints are kept: ``gs://bucket`` or
                ``gs://bucket/prefix``.
            source: A directory (also as ``file:///…``), an ``http(s)://`` address or a ``gs://``
                prefix with the four files; empty: the system's dataset package, the project's
                ``data/``, the public mirrors. An address with a password or a signature is
                refused, since parameters are stored as plain text: put a mirror's password into
                ``~/.netrc``.
            dataset: What the data are: ``name``, ``classes``, ``height``, ``width``, ``digests``;
                empty: the ``dataset.json`` beside the files, else FashionMNIST.
            allow_unverified: Accept files without digests; recorded in the data's description.
            shards: TFRecord files of each split.
            validation_examples: Examples set aside from the training split, evenly by class; -1:
                one of twelve; 0: train without a validation.
            seed: Seeds the split, the shuffling and the training.
            hyperparameters: Values of the hyperparameters; names that are left out keep their
                defaults.
            min_accuracy: Test accuracy below which no model is uploaded.
            min_improvement: By how much the challenger's test accuracy must exceed the champion's.
            min_recall: Recall of the worst class below which no model is uploaded; 0: off.
            champion_alias: Alias of the version to compare with; ``none``: compare with nothing.
            model_name: Display name in the model registry.
            serving_image: Container that serves the uploaded model.
            git_revision: Revision of the code; a label of the uploaded version.
        """
        raw = ingest(
            source=source,
            bucket_uri=bucket_uri,
            dataset=dataset,
            allow_unverified=allow_unverified,
        ).set_retry(**RETRY)
        records = decode(
            raw=raw.outputs["raw"],
            shards=shards,
            validation_examples=validation_examples,
            seed=seed,
        )
        challenger = train_step(
            train_records=records.outputs["train_records"],
            validation_records=records.outputs["validation_records"],
            bucket_uri=bucket_uri,
            seed=seed,
            hyperparameters=hyperparameters,
        )
        champion = (
            find_champion(
                model_name=model_name,
                champion_alias=champion_alias,
                project=PROJECT,
                location=LOCATION,
            )
            .set_caching_options(False)
            .set_retry(**RETRY)
        )
        verdict = evaluate(
            model=challenger.outputs["model"],
            history=challenger.outputs["history"],
            champion=champion.outputs["champion"],
            test_records=records.outputs["test_records"],
            min_accuracy=min_accuracy,
            min_improvement=min_improvement,
            min_recall=min_recall,
        )
        with dsl.If(verdict.outputs["Output"] == True, name="good enough"):  # noqa: E712
            upload(
                model=challenger.outputs["model"],
                evaluation=verdict.outputs["evaluation"],
                parent=champion.outputs["parent"],
                has_parent=champion.outputs["Output"],
                model_name=model_name,
                serving_image=serving_image,
                git_revision=git_revision,
            )

    return fashion_mnist


fashion_mnist: Final = pipeline_around(train_in_its_step)
