"""Trains from record files to a SavedModel; the component and the command line both call it.

By itself::

    python -m components.train.trainer.task --train-files 'records/train/*.tfrecord' \
        --eval-files 'records/validation/*.tfrecord' --job-dir out --epochs 7
"""

import argparse
import dataclasses
import glob
import hashlib
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from components.dataset.errors import DataError, StepError
from components.dataset.manifest import content_digest, read_manifest, write_manifest
from components.dataset.startup import quiet_start

from .hardware import resolve_precision
from .util import AUGMENTATIONS, PRECISIONS, Hyperparameters, write_json

if TYPE_CHECKING:
    from .history import Outcome

logger = logging.getLogger(__name__)

CHOICES: Final = {"augmentation": AUGMENTATIONS, "precision": PRECISIONS}


@dataclasses.dataclass(frozen=True)
class Records:
    """The record files of one split, and the digest of their content."""

    files: tuple[Path, ...]
    digest: str

    @classmethod
    def of_directory(cls, directory: Path) -> "Records":
        """The shards that the manifest of ``directory`` lists.

        Raises:
            DataError: The manifest is missing or does not hold, or lists no shard.
        """
        manifest = read_manifest(directory)
        names = [entry["name"] for entry in manifest["files"]]
        files = tuple(directory / name for name in names if name.endswith(".tfrecord"))
        if not files:
            raise DataError(f"the manifest of {directory} lists no .tfrecord; run decode again")
        return cls(files, content_digest(manifest))

    @classmethod
    def of_glob(cls, pattern: str) -> "Records":
        """The files that match ``pattern``, in the order of their names.

        Raises:
            DataError: None does.
        """
        names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - a pattern may be absolute
        files = tuple(Path(name) for name in sorted(names))
        if not files:
            raise DataError(f"no file matches {pattern!r}; give a glob of TFRecord files")
        digest = hashlib.sha256()
        for path in files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return cls(files, digest.hexdigest())


def run(
    train: Records, validation: Records, hyperparameters: Hyperparameters, model_directory: Path
) -> "Outcome":
    """Trains, and exports the model with its manifest.

    Args:
        train: The examples to train on.
        validation: Those to validate on after each epoch; with ``train_on_validation`` they
            are trained on instead.
        hyperparameters: Of the run.
        model_directory: Where the SavedModel goes; made when it is missing.

    Raises:
        DataError: Record files are damaged or hold something else.
        TrainingDiverged: The loss is no finite number any more.
    """
    with quiet_start():
        import keras

        from .export import export
        from .history import describe
        from .input_pipeline import open_source, read_examples
        from .model import build_model
        from .training import Training

        precision = resolve_precision(hyperparameters.precision)
    keras.utils.set_random_seed(hyperparameters.seed)
    everything = hyperparameters.train_on_validation
    source = open_source([*train.files, *validation.files] if everything else train.files)
    validated = None if everything else read_examples(validation.files)
    training = Training(build_model(hyperparameters, precision), source, validated, hyperparameters)
    logger.info(
        "training on %s examples in %s: %s parameters, %s steps of %s",
        f"{source.count:,}",
        precision,
        f"{training.model.count_params():,}",
        f"{training.plan.steps:,}",
        training.plan.batch_size,
    )
    started = time.perf_counter()
    training.run()
    seconds = time.perf_counter() - started
    serving = build_model(hyperparameters)
    serving.set_weights(training.model.get_weights())
    export(serving, model_directory)
    manifest = write_manifest(model_directory)
    outcome = describe(
        training,
        hyperparameters,
        precision=precision,
        seconds=seconds,
        data={"train": train.digest, "validation": validation.digest},
        digest=content_digest(manifest),
    )
    logger.info("%s", _summary(outcome, source.count))
    return outcome


def _summary(outcome: "Outcome", examples: int) -> str:
    history, metrics = outcome.history, outcome.metrics
    reached = f"training accuracy {metrics['train_accuracy']:.4f}"
    if "validation_accuracy" in metrics:
        reached = f"validation accuracy {metrics['validation_accuracy']:.4f}"
    return (
        f"trained {history['parameter_count']:,} parameters on {examples:,} examples for "
        f"{history['steps']:,} steps in {history['training_seconds']:.0f} s "
        f"({history['images_per_second']:,.0f} images/s, {history['precision']}): {reached}"
    )


def parser() -> argparse.ArgumentParser:
    """The command line: files, the job's directory, and every hyperparameter by its name."""
    arguments = argparse.ArgumentParser(prog="trainer.task", description="Trains FashionMNIST.")
    arguments.add_argument("--train-files", required=True, metavar="GLOB")
    arguments.add_argument("--eval-files", required=True, metavar="GLOB")
    arguments.add_argument("--job-dir", required=True, type=Path, metavar="DIR")
    for field in dataclasses.fields(Hyperparameters):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            arguments.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=field.default
            )
        elif isinstance(field.default, tuple):
            arguments.add_argument(flag, type=int, nargs="+", default=field.default)
        else:
            arguments.add_argument(
                flag,
                type=type(field.default),
                default=field.default,
                choices=CHOICES.get(field.name),
                help="default: %(default)s",
            )
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 after an error that it foresaw."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    names = [field.name for field in dataclasses.fields(Hyperparameters)]
    try:
        outcome = run(
            Records.of_glob(arguments.train_files),
            Records.of_glob(arguments.eval_files),
            Hyperparameters(**{name: getattr(arguments, name) for name in names}),
            arguments.job_dir / "model",
        )
    except StepError as error:
        logger.error("%s", error)
        return 1
    write_json(arguments.job_dir / "history.json", outcome.history)
    write_json(arguments.job_dir / "metrics.json", outcome.metrics)
    return 0


if __name__ == "__main__":
    sys.exit(main())
