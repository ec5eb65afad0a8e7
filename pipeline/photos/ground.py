"""The ground that a photo's subject lies on: its colour everywhere, from what is at the border."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

BORDER: Final = 0.02
"""Width of the border, as a share of the shorter edge."""
SAMPLES: Final = 2000
"""Pixels of the border that are looked at, about."""
CANDIDATES: Final = 50
NEAR: Final = 22.0
"""Distance in RGB below which two colours are one: 5 % of 255 times the root of 3."""
FITS: Final = 4


def ground(pixels: Pixels) -> Pixels:
    """The ground's colour at each pixel: a plane in each channel, since light falls off.

    It starts from the colour that most of the border has and not from the border's mean: the
    subject may reach the border.

    Args:
        pixels: float32 [height, width, 3], 0 to 255.

    Returns:
        float32 [height, width, 3], 0 to 255.
    """
    height, width = pixels.shape[:2]
    rows, columns = _border(height, width)
    colours = pixels[rows, columns]
    terms = _terms(rows / height, columns / width)
    expected = np.broadcast_to(_most_common(colours), colours.shape)
    for _ in range(FITS):
        own = np.linalg.norm(colours - expected, axis=1) < NEAR
        plane = np.linalg.lstsq(terms[own], colours[own], rcond=None)[0]
        expected = terms @ plane
    y, x = np.mgrid[:height, :width]
    everywhere = _terms(y.ravel() / height, x.ravel() / width) @ plane
    colour: Pixels = np.clip(everywhere, 0, 255).reshape(height, width, 3).astype(np.float32)
    return colour


def _border(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    thickness = max(1, round(BORDER * min(height, width)))
    inner = np.zeros((height, width), bool)
    inner[thickness : height - thickness, thickness : width - thickness] = True
    rows, columns = np.nonzero(~inner)
    step = max(1, len(rows) // SAMPLES)
    return rows[::step], columns[::step]


def _most_common(colours: Pixels) -> Pixels:
    """The colour among a few of them that has most of all near it."""
    few = colours[:: max(1, len(colours) // CANDIDATES)]
    apart = np.linalg.norm(few[:, np.newaxis] - colours[np.newaxis], axis=2)
    chosen: Pixels = few[(apart < NEAR).sum(axis=1).argmax()]
    return chosen


def _terms(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(y), y - 0.5, x - 0.5], axis=1)
