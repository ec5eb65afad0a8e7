"""One training: from the examples of two splits to the exported model and its facts."""

import dataclasses
import hashlib
import json
import logging
import platform
from typing import TYPE_CHECKING, Any, Final

from components.dataset.code import code_digest
from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.manifest import MODEL_DIGEST, write_manifest
from components.dataset.startup import quiet_start

from .fitting import fitted
from .hyperparameters import SEED, Hyperparameters
from .outputs import Outputs
from .splits import Examples, Split, read_examples

if TYPE_CHECKING:
    import keras

    from .training import Training

logger = logging.getLogger(__name__)

CODE: Final = "components.train.trainer.job"
"""The module whose code, with all that it imports, decides the result."""
CALIBRATED_FROM: Final = 100
"""Validation examples; on fewer the temperature made probabilities worse as often as better."""
NAME_DIGITS: Final = 16
"""Hexadecimal digits of a training's digest that name its folder of checkpoints."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The facts of a finished training, ready for JSON.

    The history's seconds cover all epochs, whichever process trained them. The metrics are
    the last figures of the curve. The facts are metadata of the model. The chief is the process
    that writes what all workers have made together.
    """

    history: dict[str, Any]
    metrics: dict[str, float]
    facts: dict[str, Any]
    chief: bool


def run(
    train: Split,
    validation: Split,
    hyperparameters: Hyperparameters,
    outputs: Outputs,
    *,
    seed: int = 0,
    eval_steps: int = 0,
) -> Outcome:
    """Trains, and exports the model with its manifest; an interrupted training resumes.

    It validates after each epoch, on ``eval_steps`` batches or with 0 on all examples, if there are
    any, and fits the temperature on all of them; with ``train_on_validation`` they are trained on
    instead, and no temperature is fitted, as with fewer than ``CALIBRATED_FROM`` of them. The chief
    of the workers writes everything.

    Raises:
        DataError: Record files are damaged or are something else, or the splits do not fit.
        HyperparameterError: The seed is out of range, or workers cannot share a batch evenly.
        TrainingDiverged: The loss is not finite any more.
        AcceleratorError: Accelerators that were requested are not there.
        ClusterError: TF_CONFIG does not describe a cluster to train on.
        BucketError: A bucket is missing, refuses, or cannot be reached.
    """
    _check(train.description, validation.description, seed)
    with quiet_start():
        import keras

        from . import distribution, hardware
        from .checkpoints import resume
        from .export import digest_of, export
        from .input_pipeline import open_source
        from .model import build_model
        from .tensorboard import open_log
        from .training import Training

    with quiet_start():
        # On its own: TensorFlow's loggers are quiet only from here on.
        hardware.require_accelerators()
        strategy = distribution.choose()
        precision = hardware.resolve_precision(hyperparameters.precision)
    if not (chief := distribution.is_chief(strategy)):
        logging.getLogger(__package__).setLevel(logging.WARNING)
    hyperparameters = fitted(hyperparameters, train.description)
    logger.debug("hyperparameters %s", hyperparameters.as_dict())
    keras.utils.set_random_seed(seed)
    everything = hyperparameters.train_on_validation
    source = open_source(train, *([validation] if everything else []))
    validated = None if everything or not validation.files else read_examples(validation)
    description = train.measured()
    with strategy.scope():
        model = build_model(hyperparameters, description, precision, seed=seed)
        training = Training(
            model, source, validated, hyperparameters, seed=seed, eval_steps=eval_steps
        )
    logger.info(
        "training on %s examples in %s: %s parameters, %s steps of %d",
        *(f"{source.count:,}", precision, f"{model.count_params():,}"),
        *(f"{training.plan.steps:,}", training.plan.batch_size),
    )
    origin: dict[str, Any] = {
        "parameters": {"seed": seed, **hyperparameters.as_dict()},
        "precision": precision,
        "data": {"train": train.digest, "validation": validation.digest},
        "code_digest": code_digest(CODE),
        "versions": versions(),
    }
    made_from = hashlib.sha256(json.dumps([origin, eval_steps]).encode()).hexdigest()
    if outputs.checkpoints:
        outputs = dataclasses.replace(
            outputs, checkpoints=outputs.checkpoints / made_from[:NAME_DIGITS]
        )
    with distribution.written_once(strategy, outputs) as own:
        after_epoch = []
        if outputs.checkpoints and own.checkpoints:
            after_epoch.append(resume(training, outputs.checkpoints, own.checkpoints))
        if own.logs:
            after_epoch.insert(0, open_log(own.logs, training, description.classes))
        training.run(*after_epoch)
        serving = build_model(hyperparameters, description)
        serving.set_weights(model.get_weights())
        origin |= _calibration(serving, validated)
        export(serving, own.model.path, description, temperature=origin["temperature"])
        digest = digest_of(own.model.path)
        write_manifest(own.model.path, **origin, **{MODEL_DIGEST: digest})
        own.model.publish()
    outcome = _outcome(training, origin, description, digest, chief=chief)
    distribution.meet(strategy)
    if outputs.checkpoints and chief:
        outputs.checkpoints.remove()
    return outcome


def _check(train: Description, validation: Description, seed: int) -> None:
    SEED.check("seed", seed, 0)
    if train.form != validation.form:
        found = f"are {train.form}, the validation examples {validation.form}"
    elif train.classes != validation.classes:
        names = f"({train.name}, {validation.name})"
        found = f"have other classes than the validation examples {names}"
    else:
        return
    raise DataError(f"the training examples {found}; use splits of one data set")


def _calibration(model: "keras.Model", examples: Examples | None) -> dict[str, Any]:
    if not examples or len(examples.labels) < CALIBRATED_FROM:
        return {"temperature": 1.0, "calibrated_on": "nothing"}
    from .calibration import temperature_of

    return {
        "temperature": temperature_of(model, examples),
        "calibrated_on": "validation split",
    }


def versions() -> dict[str, str]:
    """The versions that the result of a training depends on."""
    import keras
    import numpy as np
    import tensorflow as tf

    packages = {"tensorflow": tf, "keras": keras, "numpy": np}
    found = {name: str(package.__version__) for name, package in packages.items()}
    return {**found, "python": platform.python_version()}


def _outcome(
    training: "Training",
    origin: dict[str, Any],
    description: Description,
    digest: str,
    *,
    chief: bool,
) -> Outcome:
    last, plan, count = training.curve[-1], training.plan, training.model.count_params()
    # Of all steps, tracing included, validation not.
    seconds = sum(row.seconds for row in training.curve)
    speed = {
        "training_seconds": seconds,
        "images_per_second": plan.steps * plan.batch_size / seconds,
    }
    curve = [dataclasses.asdict(row) for row in training.curve]
    history = {"epochs": curve, **origin, **speed, "parameter_count": count, "steps": plan.steps}
    metrics = {"train_loss": last.loss, "train_accuracy": last.accuracy, **speed}
    # A console shows and compares texts and numbers, not lists.
    trained_with = {
        name: str(value) if isinstance(value, list) else value
        for name, value in origin["parameters"].items()
    }
    facts = {
        **trained_with,
        "dataset": description.name,
        "classes": len(description.classes),
        "image": description.form,
        "parameter_count": count,
        "digest": digest,
        "framework": "tensorflow",
        "framework_version": origin["versions"]["tensorflow"],
        "precision": origin["precision"],
        "epochs": len(curve),
        "temperature": origin["temperature"],
        "calibrated_on": origin["calibrated_on"],
    }
    if last.validation_loss is not None and last.validation_accuracy is not None:
        metrics["validation_loss"] = last.validation_loss
        metrics["validation_accuracy"] = last.validation_accuracy
        facts["validation_accuracy"] = last.validation_accuracy
    shown = "validation_accuracy" if "validation_accuracy" in metrics else "train_accuracy"
    logger.info(
        "trained %s parameters for %s steps in %.0f s (%s images/s, %s): %s %.4f",
        *(f"{count:,}", f"{plan.steps:,}", seconds, f"{speed['images_per_second']:,.0f}"),
        *(origin["precision"], shown.replace("_", " "), metrics[shown]),
    )
    return Outcome(history, metrics, facts, chief)
