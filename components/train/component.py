"""The interface of train."""

from typing import Any, Final

from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output
from kfp.dsl.python_component import PythonComponent

from components.embedding import step
from components.train.trainer.hyperparameters import Hyperparameters

DEFAULTS: Final = {"hyperparameters": Hyperparameters().as_dict()}


@step(defaults=DEFAULTS)
def train(
    train_records: Input[Dataset],
    validation_records: Input[Dataset],
    model: Output[Model],
    history: Output[Artifact],
    train_metrics: Output[Metrics],
    logs: Output[Artifact],
    bucket_uri: str = "",
    seed: int = 0,
    hyperparameters: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Trains a CNN on the training records and exports it as a SavedModel.

    Args:
        train_records: TFRecord shards with features ``image`` (uint8, row by row) and ``label``
            (int64), and the ``dataset.json`` that describes them.
        validation_records: The same, to validate on after each epoch.
        model: A SavedModel with signatures ``serving_default``, ``serving_bytes``, ``prepare``,
            and the ``dataset.json``.
        history: JSON: the learning curve, hyperparameters as used, speed, digests of data and code.
        train_metrics: The last figures of the learning curve.
        logs: For TensorBoard, extended after each epoch.
        bucket_uri: Where checkpoints are kept until the training is done, so that an interrupted
            step resumes: ``gs://bucket`` or ``gs://bucket/prefix``; empty: nowhere.
        seed: Of the initial weights, the order of the examples and the augmentation.
        hyperparameters: Values by name, as ``Hyperparameters`` declares them; names that are left
            out keep their defaults.
    """
    import tempfile
    from pathlib import Path

    from components.train.trainer.hyperparameters import Hyperparameters
    from components.train.trainer.job import run
    from components.train.trainer.outputs import Folder, Outputs
    from components.train.trainer.splits import Split

    with tempfile.TemporaryDirectory(prefix="train-") as scratch:
        kept = Folder.at(f"{bucket_uri}/checkpoints", Path(scratch)) if bucket_uri else None
        # TensorBoard reads it in a bucket as the step trains; elsewhere KFP copies it at the end.
        live = bool(bucket_uri) and logs.uri.startswith("gs://")
        logged = Folder.at(logs.uri if live else logs.path, Path(scratch))
        outcome = run(
            Split.of_directory(Path(train_records.path)),
            Split.of_directory(Path(validation_records.path)),
            Hyperparameters.of(hyperparameters),
            Outputs(Folder(Path(model.path)), kept, logged),
            seed=seed,
        )
    if outcome.chief:
        for artifact, values in ((history, outcome.history), (train_metrics, outcome.metrics)):
            path = Path(artifact.path)
            Folder(path.parent).write_json(path.name, values)
    for name, value in outcome.metrics.items():
        train_metrics.log_metric(name, value)
    model.metadata.update(outcome.facts)


def train_on_accelerators() -> PythonComponent:
    """The same step with the packages that drive NVIDIA's accelerators."""
    return step(pins="train_cuda", defaults=DEFAULTS)(train.python_func)
