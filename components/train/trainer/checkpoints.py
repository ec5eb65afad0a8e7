"""The state of a training after each epoch, from which it resumes to the same result."""

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import tensorflow as tf

from .outputs import Folder
from .progress import Epoch
from .training import Training

logger = logging.getLogger(__name__)

KEPT: Final = 2


def resume(training: Training, folder: Folder, own: Folder) -> Callable[[], None]:
    """Brings a training to where its newest undamaged checkpoint was written, if there is any.

    A checkpoint has the weights, the optimizer's state, the step, the learning curve and the
    examples' losses; the order of the examples and the augmentation follow from these and the
    seed. This process writes checkpoints to ``own``: ``folder``, or another place if another worker
    of the training writes there.

    Returns:
        What writes the next checkpoint, here and to the bucket, in place of the oldest.

    Raises:
        BucketError: A bucket is missing, refuses, or cannot be reached; also when it writes.
    """
    state = tf.Module()
    state.variables_of_run = [variable.value for variable in training.variables]
    state.curve = tf.Variable("")
    state.losses = tf.Variable(training.sampler.losses)
    checkpoint = tf.train.Checkpoint(state=state)
    folder.fetch()
    listed = tf.train.get_checkpoint_state(str(folder.path))
    for path in reversed(listed.all_model_checkpoint_paths if listed else []):
        # Read first: half a checkpoint must not stay in a training that starts over.
        if _damaged(path):
            logger.warning("%s/%s is damaged and is not used", folder, Path(path).name)
            continue
        checkpoint.restore(path).assert_consumed()
        training.sampler.losses[:] = state.losses.numpy()
        training.curve.extend(Epoch(**row) for row in json.loads(state.curve.numpy()))
        done, epochs = len(training.curve), training.plan.epochs
        logger.info("resuming after epoch %d of %d, from %s", done, epochs, folder)
        break
    manager = tf.train.CheckpointManager(checkpoint, str(own.path), max_to_keep=KEPT)

    def save() -> None:
        state.curve.assign(json.dumps([dataclasses.asdict(row) for row in training.curve]))
        state.losses.assign(training.sampler.losses)
        manager.save(checkpoint_number=len(training.curve))
        own.publish()

    return save


def _damaged(path: str) -> bool:
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, LookupError, ValueError):
        return True
    return False
