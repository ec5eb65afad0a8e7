"""The state of a training after each epoch, from which it resumes to the same result."""

import dataclasses
import json
import logging
import re
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from components.dataset.errors import StepError

from .outputs import Folder
from .progress import Epoch
from .training import Training

logger = logging.getLogger(__name__)

KEPT: Final = 2
FILE: Final = re.compile(r"ckpt-(\d+)\.(index|data-.*)")
ORIGIN: Final = "state/origin/.ATTRIBUTES/VARIABLE_VALUE"
"""The name of the tensor with the digest of what the training is made from."""


class CheckpointError(StepError):
    """A checkpoint of another training."""


class Checkpoints:
    """The checkpoints of one training, in TensorFlow's format.

    Each has the weights, the optimizer's state, the step, the learning curve and the examples'
    losses; the order of the examples and the augmentation follow from these and the seed.
    Methods raise BucketError if a bucket is missing, refuses, or cannot be reached.

    Args:
        training: The training; ``restore`` changes it.
        folder: Where they are.
        own: Where this process writes them: ``folder``, or another place if another worker of the
            training writes there.
        origin: Digest of what the training is made from; checkpoints of others are refused.
    """

    def __init__(self, training: Training, folder: Folder, own: Folder, origin: str) -> None:
        self._training = training
        self._folder = folder
        self._own = own
        self._origin = origin
        self._state = tf.Module()
        self._state.variables_of_run = [variable.value for variable in training.variables]
        self._state.origin = tf.Variable(origin)
        self._state.curve = tf.Variable("")
        self._state.losses = tf.Variable(training.sampler.losses)
        self._checkpoint = tf.train.Checkpoint(state=self._state)

    def restore(self) -> None:
        """Brings the training to where the newest undamaged checkpoint was written, if any.

        Raises:
            CheckpointError: It is of another training.
        """
        self._folder.fetch()
        for number in sorted(map(_number, self._folder.path.glob("*.index")), reverse=True):
            path = self._folder.path / f"ckpt-{number}"
            # Read first: half a checkpoint must not stay in a training that starts over.
            if (tensors := _read(path)) is None:
                logger.warning("%s/%s is damaged and is not used", self._folder, path.name)
                continue
            if tensors.get(ORIGIN) != self._origin.encode():
                raise CheckpointError(
                    f"{self._folder} has checkpoints of a training with other hyperparameters, "
                    "data, code or packages; remove them, or give another --job-dir"
                )
            self._checkpoint.read(str(path)).assert_consumed()
            self._training.sampler.losses[:] = self._state.losses.numpy()
            curve = json.loads(self._state.curve.numpy())
            self._training.curve.extend(Epoch(**row) for row in curve)
            epochs = self._training.plan.epochs
            logger.info("resuming after epoch %d of %d, from %s", len(curve), epochs, self._folder)
            return

    def save(self) -> None:
        """Writes the state of the training, here and to the bucket, in place of the oldest."""
        rows = [dataclasses.asdict(row) for row in self._training.curve]
        self._state.curve.assign(json.dumps(rows))
        self._state.losses.assign(self._training.sampler.losses)
        self._own.path.mkdir(parents=True, exist_ok=True)
        self._checkpoint.write(str(self._own.path / f"ckpt-{len(rows)}"))
        for path in self._own.path.iterdir():
            if FILE.fullmatch(path.name) and not 0 <= len(rows) - _number(path) < KEPT:
                path.unlink()
        self._own.publish()


def _number(path: Path) -> int:
    """The epoch after which a file of a checkpoint was written; 0 for other files."""
    name = FILE.fullmatch(path.name)
    return int(name[1]) if name else 0


def _read(path: Path) -> dict[str, Any] | None:
    """All tensors of a checkpoint by name; None if it is damaged."""
    try:
        reader = tf.train.load_checkpoint(str(path))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, LookupError, ValueError):
        return None
