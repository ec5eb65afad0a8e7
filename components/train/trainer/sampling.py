"""Which examples the steps take: all of them, or mostly those with a high loss.

After the first epoch most pictures are easy, and a step on them changes little. With ``loss`` an
epoch is then two draws of half of the examples each: those with the highest loss when they were
last seen, and some of the others, with a weight that makes them stand for all others. So the mean
gradient stays what it was (in the spirit of InfoBatch, Qin et al., 2024).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 2
"""In an epoch after the first; they share its steps."""
HARD: Final = 0.8
"""Share of the hardest examples in such a draw."""


class Draw(NamedTuple):
    """Examples in the order in which they are trained on: int64 [n].

    The weights of their losses, float32 [n], have the mean 1; draws are counted from 0.
    """

    number: int
    indices: NDArray[np.int64]
    weights: NDArray[np.float32]


class Sampler:
    """Draws the examples of a training; ``by_loss`` favours those with a high loss.

    Attributes:
        losses: Of each example when it was last trained on, float32 [count], infinite at first.
            The draws depend on them and on the seed alone.
    """

    def __init__(self, count: int, batch_size: int, seed: int, *, by_loss: bool) -> None:
        self.losses = np.full(count, np.inf, np.float32)
        self._batch_size = batch_size
        self._seed = seed
        self._by_loss = by_loss

    def epoch(self, number: int, steps: int) -> Iterator[Draw]:
        """The draws of an epoch (from 1), each made when the one before has been recorded."""
        if not self._by_loss or number == 1:
            yield self._all(number - 1, steps * self._batch_size)
            return
        first = steps // DRAWS
        for part, own in enumerate((first, steps - first)):
            if own:
                yield self._hard_and_others(1 + (number - 2) * DRAWS + part, own)

    def record(self, draw: Draw, losses: NDArray[np.float32]) -> None:
        """Keeps the losses, float32 [n], of the examples of a draw."""
        self.losses[draw.indices] = losses

    def _all(self, number: int, examples: int) -> Draw:
        indices = self._generator(number).permutation(len(self.losses))[:examples]
        return Draw(number, indices, np.ones(examples, np.float32))

    def _hard_and_others(self, number: int, steps: int) -> Draw:
        examples = steps * self._batch_size
        hardest = int(examples * HARD)
        generator = self._generator(number)
        # Sorted stably: the same losses give the same draw.
        order = np.argsort(-self.losses, kind="stable")
        others = generator.choice(order[hardest:], examples - hardest, replace=False)
        for_each = (len(order) - hardest) / len(others)
        weights = np.repeat(np.array([1, for_each], np.float32), [hardest, len(others)])
        shuffled = generator.permutation(examples)
        indices = np.concatenate([order[:hardest], others])
        return Draw(number, indices[shuffled], (weights / weights.mean())[shuffled])

    def _generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, number])
