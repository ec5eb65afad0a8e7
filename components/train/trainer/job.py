"""One training job: from the examples of two splits to the exported model."""

import dataclasses
import json
import logging
from typing import TYPE_CHECKING

from components.dataset.manifest import content_digest, write_manifest
from components.dataset.startup import quiet_start

from .outputs import FINISHED, Outputs
from .splits import Split
from .util import Hyperparameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from .history import Outcome
    from .plan import Epoch
    from .training import Training

logger = logging.getLogger(__name__)


def run(
    train: Split,
    validation: Split,
    hyperparameters: Hyperparameters,
    outputs: Outputs,
    *,
    eval_steps: int = 0,
) -> "Outcome":
    """Trains, and exports the model with its manifest.

    Args:
        train: The examples to train on.
        validation: Those to validate on after each epoch, if there are any; with
            ``train_on_validation`` they are trained on instead.
        hyperparameters: Of the run.
        outputs: Where everything goes, written by the chief of the workers; a run that was
            interrupted goes on from its checkpoints.
        eval_steps: Batches to validate on; 0: all.

    Raises:
        DataError: Record files are damaged or hold something else.
        TrainingError: The loss is no finite number any more, the checkpoints are another
            run's, or accelerators that were asked for are not there.
        BucketError: A bucket is missing, refuses, or cannot be reached.
    """
    with quiet_start():
        import keras

        from . import distribution, hardware, history
        from .export import export
        from .input_pipeline import open_source, read_split
        from .model import build_model
        from .training import Training

    with quiet_start():
        # By itself: only now do TensorFlow's loggers keep their notes of a cluster to themselves.
        hardware.require_accelerators()
        strategy = distribution.choose()
        precision = hardware.resolve_precision(hyperparameters.precision)
    if not distribution.is_chief(strategy):
        logging.getLogger(__package__).setLevel(logging.WARNING)
    logger.debug("hyperparameters %s", hyperparameters.as_dict())
    keras.utils.set_random_seed(hyperparameters.seed)
    if validation.empty:
        source, validated = open_source(train), None
    elif hyperparameters.train_on_validation:
        source, validated = open_source(train, validation), None
    else:
        source, validated = open_source(train), read_split(validation)
    with strategy.scope():
        model = build_model(hyperparameters, precision)
        training = Training(model, source, validated, hyperparameters, eval_steps)
    logger.info("%s", history.announcement(training, source.count, precision))
    data = {"train": train.digest, "validation": validation.digest}
    made_from = json.dumps(
        [hyperparameters.as_dict(), data, precision, eval_steps, history.code(), history.versions()]
    )
    shared = outputs.checkpoints if outputs.shared else None
    outputs = outputs.of_run(made_from)
    with distribution.written_once(strategy, outputs) as own:
        if shared and outputs.checkpoints and distribution.is_chief(strategy):
            shared.remove_finished(but=outputs.checkpoints)
        after_epoch = _start_records(training, outputs, own, made_from)
        training.run(after_epoch)
        serving = build_model(hyperparameters)
        serving.set_weights(model.get_weights())
        export(serving, own.model.path)
        origin = history.provenance(hyperparameters, precision, data)
        manifest = write_manifest(own.model.path, **origin)
        own.model.publish()
        digest = content_digest(manifest)
        outcome = history.describe(training, origin, digest)
        if own.figures:
            own.figures.write_json("history.json", outcome.history)
            own.figures.write_json("metrics.json", outcome.metrics)
        if shared and own.checkpoints:
            own.checkpoints.write_json(FINISHED, {"epochs": len(training.curve)})
    distribution.meet(strategy)
    logger.info("%s", history.summary(outcome, source.count))
    return dataclasses.replace(outcome, chief=distribution.is_chief(strategy))


def _start_records(
    training: "Training", outputs: Outputs, own: Outputs, made_from: str
) -> "Callable[[Epoch], None]":
    """Restores the newest checkpoint; returns what writes checkpoint and log of each epoch."""
    from .checkpoints import Checkpoints
    from .tensorboard import Log

    checkpoints = log = None
    if outputs.checkpoints and own.checkpoints:
        checkpoints = Checkpoints(training, outputs.checkpoints, own.checkpoints, made_from)
        checkpoints.restore()
    if own.logs:
        log = Log(own.logs, training)

    def after_epoch(row: "Epoch") -> None:
        if log:
            log.write(row)
        if checkpoints:
            checkpoints.save()

    return after_epoch
