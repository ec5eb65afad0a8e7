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
EPOCHS: Final = 4
STEPS: Final = 800
"""How long a training is by default, at least: FashionMNIST's four epochs have 856 steps."""
BATCHES: Final = 16
"""Of an epoch, at least, if the examples suffice for them."""
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
        """Full batches only; with fewer examples than ``batch_size``, all of them are one batch.

        Where neither ``epochs`` nor ``train_steps`` is given, few examples have smaller batches and
        more epochs.
        """
        given = hyperparameters
        is_given = bool(given.epochs or given.train_steps)
        batch_size = min(given.batch_size, examples if is_given else _most_in_a_batch(examples))
        per_epoch = examples // batch_size
        epochs = given.epochs or max(EPOCHS, math.ceil(STEPS / per_epoch))
        return cls(batch_size, per_epoch, given.train_steps or epochs * per_epoch)

    @property
    def epochs(self) -> int:
        """Epochs; the last one can be short."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def last_step(self, epoch: int) -> int:
        """The last step of an epoch, both counted from 1; 0 before the first."""
        return min(epoch * self.steps_per_epoch, self.steps)


def _most_in_a_batch(examples: int) -> int:
    """So that an epoch has ``BATCHES``; a multiple of 8, which several machines can share."""
    most = examples // BATCHES
    return most // 8 * 8 or max(most, 1)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """A row of the learning curve: means of the epoch, and the learning rate of its last step.

    ``loss`` is the cross-entropy with label smoothing, ``validation_loss`` without, as the test's
    loss. ``seconds`` are without the validation.
    """

    epoch: int
    seconds: float
    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None


class Progress:
    """A line on the terminal that the next one, or the epoch's longer one in the log, replaces."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown = sys.stdout.isatty() or os.environ.get(SWITCH) == "1"
        self._steps = 0
        self._start = self._last = -math.inf

    def due(self) -> bool:
        """Counts a step; whether it is the first, or ``INTERVAL`` after the last that was due."""
        now = self._clock()
        self._steps += 1
        if self._steps == 1:
            # The first step is not timed: it traces the network, which takes seconds.
            self._start = now
        if now < self._last + INTERVAL:
            return False
        self._last = now
        return True

    def show(self, done: str, speed: str, left: int) -> None:
        """Writes a line, where somebody can see it, with the time that ``left`` steps take."""
        parts = [done]
        if self._steps > 1:
            seconds = (self._clock() - self._start) / (self._steps - 1) * left
            many = seconds >= MINUTES
            parts.append(f"{seconds / 60:.0f} min left" if many else f"{seconds:.0f} s left")
        if self._shown:
            sys.stdout.write("  ".join([*parts, speed]) + "\r")
            sys.stdout.flush()
