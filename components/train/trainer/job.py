"""One training job: from the examples of two splits to the exported model."""

import json
import logging
import time
from typing import TYPE_CHECKING

from components.dataset.manifest import content_digest, write_manifest
from components.dataset.startup import quiet_start

from .hardware import resolve_precision
from .outputs import Outputs
from .splits import Split
from .util import Hyperparameters

if TYPE_CHECKING:
    from .history import Outcome
    from .plan import Epoch

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
        validation: Those to validate on after each epoch; with ``train_on_validation`` they
            are trained on instead.
        hyperparameters: Of the run.
        outputs: Where model, checkpoints and logs go; a run that was interrupted goes on from
            its checkpoints.
        eval_steps: Batches to validate on; 0: all.

    Raises:
        DataError: Record files are damaged or hold something else.
        TrainingError: The loss is no finite number any more, or the checkpoints are another
            run's.
        BucketError: A bucket is missing, refuses, or cannot be reached.
    """
    with quiet_start():
        import keras

        from . import history
        from .checkpoints import Checkpoints
        from .export import export
        from .input_pipeline import open_source, read_split
        from .model import build_model
        from .tensorboard import Log
        from .training import Training

        precision = resolve_precision(hyperparameters.precision)
    logger.debug("hyperparameters %s", hyperparameters.as_dict())
    keras.utils.set_random_seed(hyperparameters.seed)
    if hyperparameters.train_on_validation:
        source, validated = open_source(train, validation), None
    else:
        source, validated = open_source(train), read_split(validation)
    model = build_model(hyperparameters, precision)
    training = Training(model, source, validated, hyperparameters, eval_steps)
    data = {"train": train.digest, "validation": validation.digest}
    logger.info(
        "training on %s examples in %s: %s parameters, %s steps of %s",
        f"{source.count:,}",
        precision,
        f"{model.count_params():,}",
        f"{training.plan.steps:,}",
        training.plan.batch_size,
    )
    checkpoints = log = None
    if outputs.checkpoints:
        made_from = [hyperparameters.as_dict(), data, precision, eval_steps, history.code()]
        checkpoints = Checkpoints(training, outputs.checkpoints, json.dumps(made_from))
        checkpoints.restore()
    if outputs.logs:
        log = Log(outputs.logs, training.plan.steps_per_epoch)

    def after_epoch(row: "Epoch") -> None:
        if log:
            log.write(row)
        if checkpoints:
            checkpoints.save()

    started = time.perf_counter()
    training.run(after_epoch)
    seconds = time.perf_counter() - started
    serving = build_model(hyperparameters)
    serving.set_weights(model.get_weights())
    export(serving, outputs.model.path)
    manifest = write_manifest(outputs.model.path)
    outputs.model.publish()
    outcome = history.describe(
        training,
        hyperparameters,
        precision=precision,
        seconds=seconds,
        data=data,
        digest=content_digest(manifest),
    )
    logger.info("%s", history.summary(outcome, source.count))
    return outcome
