"""Mean and deviation of a data set's pixels, by which a network normalizes."""

import math

import numpy as np
from numpy.typing import NDArray


class Pixels:
    """Sums over the pixels of images as they pass, exact integers for each channel."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._sums = [0] * channels
        self._squares = [0] * channels

    def add(self, images: NDArray[np.uint8]) -> None:
        """Adds the pixels of images, uint8 [n, …] with the channels last."""
        channels = len(self._sums)
        self._count += images.size // channels
        for channel in range(channels):
            # A square of 255 just fits.
            values = images.reshape(-1)[channel::channels].astype(np.uint16)
            self._sums[channel] += int(values.sum(dtype=np.int64))
            self._squares[channel] += int((values * values).sum(dtype=np.int64))

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel, 0 to 255."""
        return tuple(total / self._count for total in self._sums)

    @property
    def deviation(self) -> tuple[float, ...]:
        """The standard deviation of each channel, 1 where all pixels are the same."""
        return tuple(
            math.sqrt(self._count * square - total**2) / self._count or 1.0
            for total, square in zip(self._sums, self._squares, strict=True)
        )
