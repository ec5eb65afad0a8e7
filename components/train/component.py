"""The interface of train."""

from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output
from kfp.dsl.python_component import PythonComponent

from components.embedding import step


@step()
def train(
    train_records: Input[Dataset],
    validation_records: Input[Dataset],
    model: Output[Model],
    history: Output[Artifact],
    train_metrics: Output[Metrics],
    logs: Output[Artifact],
    bucket_uri: str = "",
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
) -> None:
    """Trains a CNN on the training records and exports it as a SavedModel.

    Args:
        train_records: TFRecord shards with features ``image`` (784 bytes) and ``label`` (int64).
        validation_records: The same, to validate on after each epoch.
        model: A SavedModel with signatures ``serving_default`` and ``serving_bytes``.
        history: JSON: the learning curve, hyperparameters, speed, digests of data and code.
        train_metrics: The last figures of the learning curve.
        logs: For TensorBoard, added to after each epoch.
        bucket_uri: Where checkpoints are kept, from which the step goes on when it is started
            again; those of finished trainings until another one begins: ``gs://bucket`` or
            ``gs://bucket/prefix``; empty: none.
        seed: Seeds the initial weights, the order of the examples and the augmentation.
        epochs: Passes over the training examples; used when ``train_steps`` is 0.
        train_steps: Exactly this many steps; 0: ``epochs`` decide.
        batch_size: Examples in a step.
        learning_rate: Peak of the schedule, for the convolution kernels.
        dropout: Share of the features dropped before the last layer, in [0, 1).
        architecture: One of residual, plain.
        filters: Channels of each stage of the network, 2 to 4 of them.
        dense_units: Width of the fully connected layer before the last one; 0: none.
        members: Networks that are trained side by side and answer together.
        label_smoothing: Share of the target spread evenly over the classes, in [0, 1).
        augmentation: One of none, flip, shift, flip+shift.
        sampling: One of loss, uniform; loss: after the first epoch rather what is not learned.
        precision: One of auto, bfloat16, float32.
        train_on_validation: Train on the validation records too, and validate on nothing.
    """
    import tempfile
    from pathlib import Path

    from components.train.trainer.job import run
    from components.train.trainer.outputs import Folder, Outputs
    from components.train.trainer.splits import Split
    from components.train.trainer.util import Hyperparameters, write_json

    chosen = Hyperparameters(
        seed=seed,
        epochs=epochs,
        train_steps=train_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=dropout,
        architecture=architecture,
        filters=tuple(filters),
        dense_units=dense_units,
        members=members,
        label_smoothing=label_smoothing,
        augmentation=augmentation,
        sampling=sampling,
        precision=precision,
        train_on_validation=train_on_validation,
    )
    examples = Split.of_directory(Path(train_records.path))
    validation = Split.of_directory(Path(validation_records.path))
    with tempfile.TemporaryDirectory(prefix="train-") as scratch:
        kept = Folder.at(f"{bucket_uri}/checkpoints", Path(scratch)) if bucket_uri else None
        logged = Folder.at(logs.uri, Path(scratch))
        outputs = Outputs(Folder(Path(model.path)), kept, logged, shared=True)
        outcome = run(examples, validation, chosen, outputs)
        if outcome.chief:
            write_json(Path(history.path), outcome.history)
            write_json(Path(train_metrics.path), outcome.metrics)
    for name, value in outcome.metrics.items():
        train_metrics.log_metric(name, value)
    model.metadata.update(outcome.facts)


def train_on_accelerators() -> PythonComponent:
    """The same step with the packages that drive NVIDIA's accelerators."""
    return step(pins="train_cuda")(train.python_func)
