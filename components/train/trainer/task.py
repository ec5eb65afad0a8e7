"""The trainer's command line, as training jobs call it.

With no argument but the job's directory it trains on the official files of this machine::

    python -m components.train.trainer.task --job-dir out

Record files or other IDX files are named by globs, here or in a bucket::

    python -m components.train.trainer.task --job-dir gs://bucket/job \
        --train-files 'records/train-*.tfrecord' --eval-files 'records/validation-*.tfrecord'
"""

import argparse
import dataclasses
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import StepError

from . import data_files
from .job import run
from .outputs import Outputs
from .presets import PRESETS
from .splits import Split
from .util import ARCHITECTURES, AUGMENTATIONS, PRECISIONS, SAMPLINGS, Hyperparameters

logger = logging.getLogger(__name__)

CHOICES: Final = {
    "architecture": ARCHITECTURES,
    "augmentation": AUGMENTATIONS,
    "sampling": SAMPLINGS,
    "precision": PRECISIONS,
}
VERBOSITIES: Final = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
INTERRUPTED: Final = 130


def parser() -> argparse.ArgumentParser:
    """The command line: files, the job's directory, and every hyperparameter by its name."""
    arguments = argparse.ArgumentParser(
        prog="trainer.task",
        description="Trains FashionMNIST and exports a SavedModel.",
        epilog="A job that was interrupted and is started again with the same arguments goes on "
        "where it was.",
    )
    arguments.add_argument(
        "--job-dir",
        default="",
        metavar="DIR",
        help="where everything goes, local or gs://; default: what AIP_MODEL_DIR, "
        "AIP_CHECKPOINT_DIR and AIP_TENSORBOARD_LOG_DIR say",
    )
    for name, split in (("--train-files", "training"), ("--eval-files", "validation")):
        arguments.add_argument(
            name,
            metavar="GLOB",
            help=f"TFRecord or IDX files of the {split} examples, local or gs://; "
            "default: the official files on this machine",
        )
    arguments.add_argument(
        "--eval-steps",
        type=int,
        default=0,
        metavar="N",
        help="batches to validate on after each epoch; 0, the default: all",
    )
    arguments.add_argument("--verbosity", choices=VERBOSITIES, default="INFO")
    arguments.add_argument(
        "--preset", choices=sorted(PRESETS), help="a set of hyperparameters to start from"
    )
    group = arguments.add_argument_group("hyperparameters", "They change the preset's values.")
    for field in dataclasses.fields(Hyperparameters):
        _add(group, field.name, field.default)
    return arguments


def _add(group: Any, name: str, default: Any) -> None:
    options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": f"default: {default}"}
    if isinstance(default, bool):
        options["action"] = argparse.BooleanOptionalAction
    elif isinstance(default, tuple):
        options |= {"type": int, "nargs": "+", "metavar": "N"}
        options["help"] = f"default: {' '.join(map(str, default))}"
    else:
        options |= {"type": type(default), "choices": CHOICES.get(name)}
        options["metavar"] = None if name in CHOICES else type(default).__name__.upper()
    group.add_argument("--" + name.replace("_", "-"), **options)


def hyperparameters(arguments: argparse.Namespace) -> Hyperparameters:
    """The preset's values, changed by those of the command line.

    Raises:
        HyperparameterError: One is out of range.
    """
    names = [field.name for field in dataclasses.fields(Hyperparameters)]
    given = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    return Hyperparameters(**{**PRESETS.get(arguments.preset, {}), **given})


def open_splits(arguments: argparse.Namespace, seed: int, scratch: Path) -> tuple[Split, Split]:
    """The training and the validation split that the command line names.

    Raises:
        DataError: Files are missing or damaged.
        BucketError: A bucket is missing, refuses, or cannot be reached.
    """
    patterns = arguments.train_files, arguments.eval_files
    if not any(patterns):
        return data_files.official(seed)
    train, validation = (data_files.matching(pattern, scratch) for pattern in patterns)
    return train, validation


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 after an error that it foresaw."""
    known = parser()
    arguments = known.parse_args(argv)
    if bool(arguments.train_files) != bool(arguments.eval_files):
        known.error("give both --train-files and --eval-files, or neither")
    if arguments.eval_steps < 0:
        known.error("--eval-steps must be 0 or more")
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
    # Not the root: libraries have much to say at DEBUG.
    logging.getLogger(__package__).setLevel(arguments.verbosity)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="train-") as scratch:
        try:
            outputs = Outputs.of_job(arguments.job_dir, os.environ, Path(scratch))
        except ValueError as error:
            known.error(str(error))
        try:
            _train(arguments, outputs, Path(scratch))
        except StepError as error:
            logger.error("%s", error)
            return 1
        except KeyboardInterrupt:
            logger.error("interrupted; start it again with the same arguments to go on")
            return INTERRUPTED
    return 0


def _train(arguments: argparse.Namespace, outputs: Outputs, scratch: Path) -> None:
    chosen = hyperparameters(arguments)
    train, validation = open_splits(arguments, chosen.seed, scratch)
    run(train, validation, chosen, outputs, eval_steps=arguments.eval_steps)


if __name__ == "__main__":
    sys.exit(main())
