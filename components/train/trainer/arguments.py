"""The trainer's command line: what it takes, and what it answers to options of other trainers."""

import argparse
import dataclasses
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from components.dataset.places import PlaceError, local_path

from .hyperparameters import PRESETS, SEED, Hyperparameters

VERBOSITIES: Final = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
FILES: Final = {"--train-files": "training", "--eval-files": "validation"}
ALIASES: Final = {"epochs": ["--num-epochs"], "batch_size": ["--train-batch-size"]}
"""Names of hyperparameters in the samples of AI Platform."""
INSTEAD: Final = {
    "use --filters and --dense-units": (
        *("--first-layer-size", "--num-layers", "--scale-factor"),
        *("--hidden-units", "--layer-sizes-scale-factor"),
    ),
    "use --dropout": ("--dropout-prob",),
    "use --job-dir": ("--model-dir", "--output-dir"),
    "use --train-files and --eval-files": ("--data-dir",),
    "use --train-steps": ("--max-steps",),
    "use --train-files IMAGES LABELS": ("--train-file", "--train-labels-file"),
    "use --eval-files IMAGES LABELS": ("--test-file", "--test-labels-file"),
    "leave it out: --eval-steps counts batches of --batch-size": ("--eval-batch-size",),
    "leave it out: a job that starts again with the same --job-dir resumes": ("--reuse-job-dir",),
    "leave it out: --learning-rate is the peak of a schedule": ("--learning-rate-decay-factor",),
    "leave it out: each epoch ends with a validation and a checkpoint": (
        *("--eval-frequency", "--eval-frequency-secs", "--checkpoint-epochs", "--eval-num-epochs"),
    ),
    "leave it out: all GPUs and the workers in TF_CONFIG take part": (
        *("--num-gpus", "--distribution-strategy"),
    ),
    "leave it out: the model takes pixels and image files": (
        *("--export-format", "--serving-export-format", "--eval-export-format"),
    ),
}
"""What the trainer answers to other options of these samples."""


class Parser(argparse.ArgumentParser):
    """A parser whose error is one line."""

    def error(self, message: str) -> NoReturn:
        """Ends the program with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments; ``train_files`` and ``eval_files`` are lists of globs.

    Option names may have underscores, as the pipeline's parameters have. Wrong use ends the
    program with exit code 2.
    """
    words = [
        re.sub("^--[a-z_-]+", lambda name: name[0].replace("_", "-"), word)
        for word in (sys.argv[1:] if argv is None else argv)
    ]
    known = parser()
    names = [word.partition("=")[0] for word in words]
    for answer, options in INSTEAD.items():
        for name in [name for name in names if name in options]:
            known.error(f"there is no {name}; {answer}")
    arguments = known.parse_args(words)
    for option in FILES:
        name = option.strip("-").replace("-", "_")
        given = getattr(arguments, name)
        globs = [each.strip() for text in given for each in text.split(",") if each.strip()]
        for each in globs:
            try:
                local_path(each)
            except PlaceError as error:
                known.error(f"{option}: {error}")
        setattr(arguments, name, globs)
    if bool(arguments.train_files) != bool(arguments.eval_files):
        known.error("give both --train-files and --eval-files, or neither")
    if arguments.eval_steps < 0:
        known.error("--eval-steps must be 0 or more")
    return arguments


def parser() -> Parser:
    """The command line: files, the job's directory, and every hyperparameter by its name."""
    arguments = Parser(
        prog="trainer.task",
        usage="trainer.task --job-dir DIR [option ...]",
        description="Trains a network on pictures and exports a SavedModel.",
        epilog="An interrupted job resumes if it is started again with the same arguments.",
    )
    arguments.add_argument(
        "--job-dir",
        default="",
        metavar="DIR",
        help="Folder for everything, local or gs://; default: what AIP_MODEL_DIR, "
        "AIP_CHECKPOINT_DIR and AIP_TENSORBOARD_LOG_DIR say.",
    )
    for name, split in FILES.items():
        arguments.add_argument(
            name,
            action="extend",
            default=[],
            nargs="+",
            metavar="GLOB",
            help=f"TFRecord or IDX files of the {split} examples, local or gs://, with spaces or "
            "commas between them; default: FashionMNIST's files on this machine.",
        )
    whole_numbers = {
        "--eval-steps": "Batches to validate on after each epoch, at least 0; default: 0, all.",
        "--seed": f"Seed of everything random. {_sentence(SEED.text(0))}; default: 0.",
    }
    for name, text in whole_numbers.items():
        arguments.add_argument(name, type=int, default=0, metavar="N", help=text)
    arguments.add_argument(
        "--verbosity",
        choices=VERBOSITIES,
        default="INFO",
        help="How much is logged; default: INFO.",
    )
    arguments.add_argument(
        "--preset", choices=sorted(PRESETS), help="A set of hyperparameters to start from."
    )
    group = arguments.add_argument_group("hyperparameters", "They override the preset's values.")
    for field in dataclasses.fields(Hyperparameters):
        _add(group, field)
    return arguments


def hyperparameters(arguments: argparse.Namespace) -> Hyperparameters:
    """The preset's values, overridden by the command line."""
    names = [field.name for field in dataclasses.fields(Hyperparameters)]
    given = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    return Hyperparameters.of({**PRESETS.get(arguments.preset, {}), **given})


def _add(group: Any, field: "dataclasses.Field[Any]") -> None:
    default: Any = field.default
    values = default if isinstance(default, tuple) else (default,)
    kind, rule = type(values[0]), field.metadata["rule"]
    shown, takes = " ".join(map(str, values)), f"{_sentence(rule.text(default))}; default"
    options: dict[str, Any] = {"type": kind, "metavar": "N" if kind is int else "X"}
    if isinstance(default, tuple):
        options["nargs"] = "+"
    elif isinstance(default, bool):
        options = {"action": argparse.BooleanOptionalAction}
        shown, takes = "on" if default else "off", "Default"
    elif rule.choices:
        options, takes = {"choices": rule.choices}, "Default"
    group.add_argument(
        *("--" + field.name.replace("_", "-"), *ALIASES.get(field.name, [])),
        dest=field.name,
        default=argparse.SUPPRESS,
        help=f"{field.metadata['help'].replace('`', '')} {takes}: {shown}.",
        **options,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
