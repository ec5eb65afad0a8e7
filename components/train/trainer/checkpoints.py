"""A run's state after each epoch, from which it goes on to the same result."""

import dataclasses
import hashlib
import json
import logging
import re
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from .outputs import Folder
from .plan import Epoch
from .training import Training
from .util import TrainingError

logger = logging.getLogger(__name__)

KEPT: Final = 2
FILE: Final = re.compile(r"ckpt-(\d+)\.(index|data-.*)")
RUN: Final = "state/run/.ATTRIBUTES/VARIABLE_VALUE"
"""The name of the tensor that says whose checkpoint it is."""


class CheckpointError(TrainingError):
    """A checkpoint that cannot be used for this run."""


class Checkpoints:
    """The checkpoints of one training run, in TensorFlow's format.

    Each holds the weights, the optimizer's state, the step, the learning curve and the examples'
    losses; the order of the examples and the augmentation follow from these and the seed.

    Args:
        training: The run; ``restore`` changes it.
        folder: Where they are.
        own: Where this process writes: ``folder``, or a place of its own where another worker of
            the run writes there.
        run: What the run is made from (hyperparameters, data, code, versions of the packages);
            another run's are refused.
    """

    def __init__(self, training: Training, folder: Folder, own: Folder, run: str) -> None:
        self._training = training
        self._folder = folder
        self._own = own
        self._run = hashlib.sha256(run.encode()).hexdigest()
        self._state = tf.Module()
        self._state.variables_of_run = [variable.value for variable in training.variables]
        self._state.run = tf.Variable(self._run)
        self._state.curve = tf.Variable("")
        self._state.losses = tf.Variable(training.sampler.losses)
        self._checkpoint = tf.train.Checkpoint(state=self._state)

    def restore(self) -> None:
        """Lets the run go on where the newest whole checkpoint was written, if there is one.

        Raises:
            CheckpointError: It is another run's.
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        self._folder.fetch()
        where = self._folder.address or self._folder.path
        for number in _numbers(self._folder.path):
            path = self._folder.path / f"ckpt-{number}"
            # Before anything is restored: half of one would be left in a run that starts anew.
            if (tensors := _read(path)) is None:
                logger.warning("%s/%s is damaged; training goes on without it", where, path.name)
                continue
            if tensors.get(RUN) != self._run.encode():
                raise CheckpointError(
                    f"{where} has checkpoints of a run with other hyperparameters, data, code or "
                    "packages; remove them, or give another --job-dir"
                )
            self._checkpoint.read(str(path)).assert_consumed()
            self._training.sampler.losses[:] = self._state.losses.numpy()
            curve = json.loads(self._state.curve.numpy())
            self._training.curve.extend(Epoch(**row) for row in curve)
            epochs = self._training.plan.epochs
            logger.info("going on after epoch %d of %d, from %s", len(curve), epochs, where)
            return

    def save(self) -> None:
        """Writes the state of the run, here and to the bucket, in place of the oldest.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        rows = [dataclasses.asdict(row) for row in self._training.curve]
        self._state.curve.assign(json.dumps(rows))
        self._state.losses.assign(self._training.sampler.losses)
        self._own.path.mkdir(parents=True, exist_ok=True)
        self._checkpoint.write(str(self._own.path / f"ckpt-{len(rows)}"))
        for path in self._own.path.iterdir():
            name = FILE.fullmatch(path.name)
            if name and not 0 <= len(rows) - int(name[1]) < KEPT:
                path.unlink()
        self._own.publish()


def _numbers(folder: Path) -> list[int]:
    """After which epochs a checkpoint in a folder was written, the newest first."""
    names = (FILE.fullmatch(path.name) for path in folder.glob("*.index"))
    return sorted((int(name[1]) for name in names if name), reverse=True)


def _read(path: Path) -> dict[str, Any] | None:
    """All tensors of a checkpoint by their names; None: it is not whole."""
    try:
        reader = tf.train.load_checkpoint(str(path))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, LookupError, ValueError):
        return None
