"""How training is cut into steps and epochs, and what is told of each epoch."""

import dataclasses
import math

from .util import Hyperparameters


@dataclasses.dataclass(frozen=True)
class Plan:
    """Steps and epochs of a run."""

    batch_size: int
    steps_per_epoch: int
    steps: int

    @classmethod
    def of(cls, hyperparameters: Hyperparameters, examples: int) -> "Plan":
        """Full batches only; with fewer examples than ``batch_size`` all of them are one."""
        batch_size = min(hyperparameters.batch_size, examples)
        per_epoch = examples // batch_size
        steps = hyperparameters.train_steps or hyperparameters.epochs * per_epoch
        return cls(batch_size, per_epoch, steps)

    @property
    def epochs(self) -> int:
        """Epochs, the last one maybe short."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def last_step(self, epoch: int) -> int:
        """The last step of an epoch, both counted from 1; 0 before the first."""
        return min(epoch * self.steps_per_epoch, self.steps)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """A row of the learning curve.

    ``seconds`` is the time of the steps without the validation, ``learning_rate`` that of the
    last step, ``loss`` the mean of the smoothed cross-entropy. No validation: None.
    """

    epoch: int
    seconds: float
    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None

    def __str__(self) -> str:
        """The figures for a log."""
        validation = "no validation"
        if self.validation_loss is not None:
            validation = (
                f"validation loss {self.validation_loss:.4f}, "
                f"validation accuracy {self.validation_accuracy:.4f}"
            )
        return f"loss {self.loss:.4f}, accuracy {self.accuracy:.4f}, {validation}"
