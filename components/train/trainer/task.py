"""The trainer's command line, as training jobs call it.

With nothing but the job's directory it trains on the official files of this machine::

    python -m components.train.trainer.task --job-dir out

Globs name record files or other IDX files, here or in a bucket::

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
from .hyperparameters import PRESETS, Hyperparameters
from .job import run
from .outputs import Outputs

logger = logging.getLogger(__name__)

VERBOSITIES: Final = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
INTERRUPTED: Final = 130


def parser() -> argparse.ArgumentParser:
    """The command line: files, the job's directory, and every hyperparameter by its name."""
    arguments = argparse.ArgumentParser(
        prog="trainer.task",
        description="Trains FashionMNIST and exports a SavedModel.",
        epilog="An interrupted job resumes if it is started again with the same arguments.",
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
    whole_numbers = {
        "--eval-steps": "batches to validate on after each epoch; 0, the default: all",
        "--seed": "of everything random; default: 0",
    }
    for name, text in whole_numbers.items():
        arguments.add_argument(name, type=int, default=0, metavar="N", help=text)
    arguments.add_argument("--verbosity", choices=VERBOSITIES, default="INFO")
    arguments.add_argument(
        "--preset", choices=sorted(PRESETS), help="a set of hyperparameters to start from"
    )
    group = arguments.add_argument_group("hyperparameters", "They override the preset's values.")
    for field in dataclasses.fields(Hyperparameters):
        _add(group, field)
    return arguments


def _add(group: Any, field: "dataclasses.Field[Any]") -> None:
    default: Any = field.default
    several = isinstance(default, tuple)
    values = default if several else (default,)
    shown = " ".join(map(str, values))
    options: dict[str, Any] = {"type": type(values[0]), "nargs": "+" if several else None}
    if isinstance(default, bool):
        options = {"action": argparse.BooleanOptionalAction}
    elif choices := field.metadata["rule"].choices:
        options["choices"] = choices
    group.add_argument(
        "--" + field.name.replace("_", "-"),
        default=argparse.SUPPRESS,
        help=f"{field.metadata['help'].rstrip('.').replace('`', '')}; default: {shown}",
        **options,
    )


def hyperparameters(arguments: argparse.Namespace) -> Hyperparameters:
    """The preset's values, overridden by the command line."""
    names = [field.name for field in dataclasses.fields(Hyperparameters)]
    given = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    return Hyperparameters.of({**PRESETS.get(arguments.preset, {}), **given})


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 1 after an error that it foresaw."""
    known = parser()
    arguments = known.parse_args(argv)
    if bool(arguments.train_files) != bool(arguments.eval_files):
        known.error("give both --train-files and --eval-files, or neither")
    if arguments.eval_steps < 0:
        known.error("--eval-steps must be 0 or more")
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
    # Not the root: libraries say a lot at DEBUG.
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
            logger.error("interrupted; start it again with the same arguments to resume")
            return INTERRUPTED
    return 0


def _train(arguments: argparse.Namespace, outputs: Outputs, scratch: Path) -> None:
    chosen, seed = hyperparameters(arguments), arguments.seed
    if arguments.train_files:
        patterns = (arguments.train_files, arguments.eval_files)
        train, validation = (data_files.matching(pattern, scratch) for pattern in patterns)
    else:
        train, validation = data_files.official(seed, scratch)
    outcome = run(train, validation, chosen, outputs, seed=seed, eval_steps=arguments.eval_steps)
    if outcome.chief:
        job = outputs.model.parent
        job.write_json("history.json", outcome.history)
        job.write_json("metrics.json", outcome.metrics)


if __name__ == "__main__":
    sys.exit(main())
