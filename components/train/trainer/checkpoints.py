"""A run's state after each epoch, from which it goes on to the same result."""

import dataclasses
import hashlib
import json
import logging
from typing import Final

import tensorflow as tf

from .outputs import Folder
from .plan import Epoch
from .training import Training
from .util import TrainingError

logger = logging.getLogger(__name__)

KEPT: Final = 2


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
        run: What the run is made from (hyperparameters, data, code); another run's are refused.
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
        """Lets the run go on where the newest checkpoint was written, if there is one.

        Raises:
            CheckpointError: It is another run's, or unreadable.
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        self._folder.fetch()
        # Not before: it counts those that are there among the ones to keep.
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(self._own.path), KEPT)
        newest = tf.train.latest_checkpoint(str(self._folder.path))
        if newest is None:
            return
        where = self._folder.address or self._folder.path
        try:
            reader = tf.train.load_checkpoint(newest)
            found = reader.get_tensor("state/run/.ATTRIBUTES/VARIABLE_VALUE").decode()
            if found != self._run:
                raise CheckpointError(
                    f"{where} has checkpoints of a run with other hyperparameters, data or code; "
                    "remove them, or give another --job-dir"
                )
            self._checkpoint.restore(newest).assert_consumed()
        except (tf.errors.OpError, LookupError, ValueError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(
                f"{newest} cannot be read ({reason}); remove {where} to start anew"
            ) from error
        self._training.sampler.losses[:] = self._state.losses.numpy()
        curve = json.loads(self._state.curve.numpy())
        self._training.curve.extend(Epoch(**row) for row in curve)
        logger.info(
            "going on after epoch %d of %d, from %s", len(curve), self._training.plan.epochs, where
        )

    def save(self) -> None:
        """Writes the state of the run, here and to the bucket.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        rows = [dataclasses.asdict(row) for row in self._training.curve]
        self._state.curve.assign(json.dumps(rows))
        self._state.losses.assign(self._training.sampler.losses)
        self._manager.save(checkpoint_number=len(rows))
        self._own.publish()
