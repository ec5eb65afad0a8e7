"""The plan of a training, its learning curve, and a line that shows how far it is."""

import dataclasses
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Final

from .hyperparameters import Hyperparameters

INTERVAL: Final = 0.5
"""Seconds between two lines."""
SWITCH: Final = "FASHION_MNIST_PROGRESS"
"""Set to 1 by a runner that reads the lines although standard output is not a terminal."""
MINUTES: Final = 90.0
"""From this many seconds on, the time left is shown in minutes."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """Steps and epochs of a training."""

    batch_size: int
    steps_per_epoch: int
    steps: int

    @classmethod
    def of(cls, hyperparameters: Hyperparameters, examples: int) -> "Plan":
        """Full batches only; with fewer examples than ``batch_size``, all of them are one batch."""
        batch_size = min(hyperparameters.batch_size, examples)
        per_epoch = examples // batch_size
        steps = hyperparameters.train_steps or hyperparameters.epochs * per_epoch
        return cls(batch_size, per_epoch, steps)

    @property
    def epochs(self) -> int:
        """Epochs; the last one may be short."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def last_step(self, epoch: int) -> int:
        """The last step of an epoch, both counted from 1; 0 before the first."""
        return min(epoch * self.steps_per_epoch, self.steps)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """A row of the learning curve.

    Attributes:
        epoch: Its number, counted from 1.
        seconds: Time of the steps, without the validation.
        learning_rate: Of the last step.
        loss: Mean of the smoothed cross-entropy.
        accuracy: Share of the training examples that were predicted right.
        validation_loss: The same on the validation examples; None without a validation.
        validation_accuracy: Likewise.
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


class Progress:
    """A line on the terminal that the next one, or the epoch's longer one in the log, replaces.

    Args:
        clock: Gives seconds since some moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown = sys.stdout.isatty() or os.environ.get(SWITCH) == "1"
        self._next = -math.inf
        # The first step is not counted: it traces the network, which takes seconds.
        self._counted = -1
        self._start = 0.0

    def step(self) -> None:
        """Counts a step of the training."""
        self._counted += 1
        if self._counted == 0:
            self._start = self._clock()

    def left(self, steps: int) -> str:
        """How long ``steps`` will take, as ``12 min left``; empty before the second step."""
        if self._counted < 1:
            return ""
        seconds = (self._clock() - self._start) / self._counted * steps
        return f"{seconds:.0f} s left" if seconds < MINUTES else f"{seconds / 60:.0f} min left"

    def due(self) -> bool:
        """Whether it is time for a line: ``INTERVAL`` has passed since it last was."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + INTERVAL
        return True

    def show(self, *parts: str) -> None:
        """Writes a line of the parts that are not empty, where somebody can see it."""
        if self._shown:
            sys.stdout.write("  ".join(filter(None, parts)) + "\r")
            sys.stdout.flush()
