"""The pipeline: five steps from the raw files to a new version in the Model Registry."""

import functools
from collections.abc import Callable
from typing import Any, Final

from kfp import dsl
from kfp.dsl.base_component import BaseComponent

from components.decode.component import decode
from components.evaluate.component import evaluate
from components.ingest.component import ingest
from components.train.component import train
from components.upload.component import upload
from components.upload.find_champion import find_champion
from pipeline.specs.serving import DEFAULT_IMAGE

NAME: Final = "fashion-mnist"
PROJECT: Final = "{{$.pipeline_google_cloud_project_id}}"
LOCATION: Final = "{{$.pipeline_google_cloud_location}}"
DESCRIPTION: Final = (
    "Ingest, decode, train, evaluate, and upload FashionMNIST when the model is good."
)
TrainStep = Callable[..., dsl.PipelineTask]
"""Makes the task that trains, from the inputs of the component ``train`` by name."""


def pipeline_around(train_step: TrainStep) -> BaseComponent:
    """The pipeline with ``train_step`` as its way to train."""
    steps = functools.partial(_fashion_mnist, train_step)
    functools.update_wrapper(steps, _fashion_mnist)
    # Without it the signature is that of the partial: the pipeline's parameters alone.
    del steps.__wrapped__  # type: ignore[attr-defined]
    return dsl.pipeline(steps, name=NAME, description=DESCRIPTION)


def train_in_its_step(**inputs: Any) -> dsl.PipelineTask:
    """Trains in the step's own container."""
    task: dsl.PipelineTask = train(**inputs)
    return task.set_cpu_limit("8").set_memory_limit("16G")


def _fashion_mnist(
    train_step: TrainStep,
    bucket_uri: str,
    source: str = "",
    digests: dict = {},  # type: ignore[type-arg]  # noqa: B006
    allow_unverified: bool = False,
    shards: int = 8,
    validation_examples: int = 5000,
    seed: int = 0,
    epochs: int = 7,
    train_steps: int = 0,
    batch_size: int = 256,
    learning_rate: float = 0.12,
    dropout: float = 0.0,
    architecture: str = "residual",
    filters: list = [32, 64, 128],  # type: ignore[type-arg]  # noqa: B006
    dense_units: int = 128,
    members: int = 1,
    label_smoothing: float = 0.1,
    augmentation: str = "flip",
    sampling: str = "loss",
    precision: str = "auto",
    train_on_validation: bool = False,
    min_accuracy: float = 0.90,
    min_improvement: float = 0.0,
    champion_alias: str = "default",
    model_name: str = NAME,
    serving_image: str = DEFAULT_IMAGE,
    git_revision: str = "",
) -> None:
    """FashionMNIST from its source to the Model Registry.

    1. Ingest: the four official files, verified, into the bucket.
    2. Decode: training, validation and test examples as TFRecord shards.
    3. Train: a convolutional network on the training examples.
    4. Find champion: the version of the model that the registry serves today.
    5. Evaluate: challenger and champion on the same test examples; the verdict.
    6. Upload, if the verdict is good: the model as a new version.

    Args:
        train_step: The way to train; no parameter of the pipeline.
        bucket_uri: Where the raw files are kept, and the checkpoints of the training:
            ``gs://bucket`` or ``gs://bucket/prefix``.
        source: A directory (also as ``file:///…``), an ``http(s)://`` base or a ``gs://`` prefix
            with the four files; empty: the system's dataset package, the project's ``data/``, the
            public mirrors. An address with a password or a signature in it is refused, since
            parameters are kept in plain: put a mirror's password into ``~/.netrc``.
        digests: SHA-256 of each decompressed file by its name; empty: FashionMNIST's own.
        allow_unverified: Accept files without digests; recorded in the data's metadata.
        shards: TFRecord files for each split.
        validation_examples: Examples set aside from the training split, evenly by class; 0: none,
            and training validates on nothing.
        seed: Of the split, the shuffling and the training.
        epochs: Passes over the training examples.
        train_steps: Optimizer steps; 0: ``epochs`` decide.
        batch_size: Examples a step.
        learning_rate: The schedule's peak.
        dropout: Share of activations dropped before the last layer, from 0 to below 1.
        architecture: ``residual``, or ``plain``: a convolution and a pooling for each stage.
        filters: Channels of each stage of the network, 2 to 4 of them.
        dense_units: Units of the fully connected layer before the last one; 0: none.
        members: Networks that are trained side by side and answer together.
        label_smoothing: Share of the label's mass spread over all classes.
        augmentation: ``none``, ``flip``, ``shift`` or ``flip+shift``.
        sampling: ``loss``: after the first epoch rather what is not learned yet; ``uniform``.
        precision: ``float32``, ``bfloat16``, or ``auto``: what the machine computes in hardware.
        train_on_validation: Train on the validation examples too, once all is chosen.
        min_accuracy: Test accuracy below which no model is uploaded.
        min_improvement: By how much the challenger's test accuracy must exceed the champion's.
        champion_alias: Alias of the version to compare with; ``none``: with nothing.
        model_name: Display name in the Model Registry.
        serving_image: Container that serves the uploaded model.
        git_revision: Revision of the code; a label of the uploaded version.
    """
    raw = (
        ingest(
            source=source,
            bucket_uri=bucket_uri,
            digests=digests,
            allow_unverified=allow_unverified,
        )
        .set_display_name("Ingest")
        .set_retry(num_retries=2, backoff_duration="10s", backoff_factor=2)
    )
    records = decode(
        raw=raw.outputs["raw"],
        shards=shards,
        validation_examples=validation_examples,
        seed=seed,
    ).set_display_name("Decode")
    challenger = train_step(
        train_records=records.outputs["train_records"],
        validation_records=records.outputs["validation_records"],
        bucket_uri=bucket_uri,
        seed=seed,
        epochs=epochs,
        train_steps=train_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=dropout,
        architecture=architecture,
        filters=filters,
        dense_units=dense_units,
        members=members,
        label_smoothing=label_smoothing,
        augmentation=augmentation,
        sampling=sampling,
        precision=precision,
        train_on_validation=train_on_validation,
    ).set_display_name("Train")
    champion = (
        find_champion(
            model_name=model_name,
            champion_alias=champion_alias,
            project=PROJECT,
            location=LOCATION,
        )
        .set_display_name("Find champion")
        .set_caching_options(False)
        .set_retry(num_retries=2, backoff_duration="10s", backoff_factor=2)
    )
    verdict = evaluate(
        model=challenger.outputs["model"],
        history=challenger.outputs["history"],
        raw=raw.outputs["raw"],
        champion=champion.outputs["champion"],
        test_records=records.outputs["test_records"],
        min_accuracy=min_accuracy,
        min_improvement=min_improvement,
    ).set_display_name("Evaluate")
    with dsl.If(verdict.outputs["Output"] == True, name="good enough"):  # noqa: E712
        upload(
            model=challenger.outputs["model"],
            evaluation=verdict.outputs["evaluation"],
            parent=champion.outputs["parent"],
            has_parent=champion.outputs["Output"],
            model_name=model_name,
            serving_image=serving_image,
            git_revision=git_revision,
        ).set_display_name("Upload")


fashion_mnist: Final = pipeline_around(train_in_its_step)
