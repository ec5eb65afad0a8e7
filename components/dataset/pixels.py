"""Mean and deviation of a data set's pixels, by which a network normalizes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

VALUES: Final = np.arange(256)


class Pixels:
    """Sums over the pixels of images as they pass, exact integers for each channel."""

    def __init__(self, channels: int) -> None:
        self._counts = np.zeros([channels, 256], np.int64)

    def add(self, images: NDArray[np.uint8]) -> None:
        """Counts the pixels of images, uint8 [n, …] with the channels last."""
        for channel in range(len(self._counts)):
            values = images.reshape(-1)[channel :: len(self._counts)]
            self._counts[channel] += np.bincount(values, minlength=256)

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel, 0 to 255."""
        return tuple(float(counts @ VALUES / counts.sum()) for counts in self._counts)

    @property
    def deviation(self) -> tuple[float, ...]:
        """The standard deviation of each channel, 1 where all pixels are the same."""
        return tuple(
            float(np.sqrt(counts @ (VALUES - mean) ** 2 / counts.sum())) or 1.0
            for counts, mean in zip(self._counts, self.mean, strict=True)
        )
