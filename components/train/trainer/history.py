"""What came out of a training run, as the facts that are kept with it."""

import dataclasses
import platform
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.dataset.code import code_digest

from .training import Training
from .util import Hyperparameters


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The facts of a finished run, ready for JSON.

    Attributes:
        history: Learning curve, hyperparameters, speed, and the digests of data and code; the
            seconds of training are those of all epochs, whichever process trained them.
        metrics: The final figures of the curve; those of the validation only if there was one.
        facts: What the model's artifact is labelled with.
        chief: Whether this process writes what all workers have made together.
    """

    history: dict[str, Any]
    metrics: dict[str, float]
    facts: dict[str, Any]
    chief: bool = True


def provenance(
    hyperparameters: Hyperparameters, precision: str, data: Mapping[str, str]
) -> dict[str, Any]:
    """What a run is made from, which travels with the model.

    Args:
        hyperparameters: Of the run.
        precision: It computes in.
        data: The content digest of each split.
    """
    return {
        "parameters": hyperparameters.as_dict(),
        "precision": precision,
        "data": dict(data),
        "code_digest": code(),
        "versions": versions(),
    }


def describe(training: Training, origin: Mapping[str, Any], digest: str) -> Outcome:
    """Gathers the facts of a run that has ended.

    Args:
        training: The run.
        origin: Its ``provenance``.
        digest: Of the exported model's content.
    """
    last = training.curve[-1]
    history = {
        "epochs": [dataclasses.asdict(row) for row in training.curve],
        **origin,
        "training_seconds": training.seconds,
        "images_per_second": training.images_per_second,
        "parameter_count": training.model.count_params(),
        "steps": training.plan.steps,
    }
    metrics = {
        "train_loss": last.loss,
        "train_accuracy": last.accuracy,
        "validation_loss": last.validation_loss,
        "validation_accuracy": last.validation_accuracy,
        "training_seconds": training.seconds,
        "images_per_second": training.images_per_second,
    }
    facts = {
        "digest": digest,
        "framework": "tensorflow",
        "framework_version": tf.__version__,
        "parameter_count": training.model.count_params(),
        "validation_accuracy": last.validation_accuracy,
        "precision": origin["precision"],
        "epochs": len(training.curve),
    }
    return Outcome(history, _present(metrics), _present(facts))


def announcement(training: Training, examples: int, precision: str) -> str:
    """What the run is going to do, in a line for the log."""
    return (
        f"training on {examples:,} examples in {precision}: "
        f"{training.model.count_params():,} parameters, {training.plan.steps:,} steps of "
        f"{training.plan.batch_size}"
    )


def summary(outcome: Outcome, examples: int) -> str:
    """The run in a line for the log."""
    history, metrics = outcome.history, outcome.metrics
    reached = f"training accuracy {metrics['train_accuracy']:.4f}"
    if "validation_accuracy" in metrics:
        reached = f"validation accuracy {metrics['validation_accuracy']:.4f}"
    return (
        f"trained {history['parameter_count']:,} parameters on {examples:,} examples for "
        f"{history['steps']:,} steps in {history['training_seconds']:.0f} s "
        f"({history['images_per_second']:,.0f} images/s, {history['precision']}): {reached}"
    )


def versions() -> dict[str, str]:
    """The versions that a run's result hangs on."""
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def code() -> str:
    """The digest of the step's code."""
    return code_digest(f"{__package__}.job")


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
