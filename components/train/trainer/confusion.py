"""A confusion matrix as a picture, drawn with numpy alone: the step has nothing else."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CELL: Final = 40
"""Pixels of a cell each way, with room for four digits."""
RIGHT: Final = (31, 119, 180)
WRONG: Final = (214, 39, 40)
DIGITS: Final = "75557262277174771717557117471774757711117575775717"
"""Each digit as five rows of three pixels, a row as the bits of an octal number."""


def draw(
    counts: NDArray[Any], images: NDArray[np.uint8], labels: NDArray[Any]
) -> NDArray[np.uint8]:
    """The matrix with a row for each true class and a column for each predicted one.

    Both begin with a picture of the class. A cell's color is the share of its row, blue for what
    is right and red for what is not; by its square root, which lets rare mistakes be seen.

    Args:
        counts: int [C, C].
        images: uint8 [N, 28, 28], of which the first of each class is shown.
        labels: int [N].

    Returns:
        uint8 [CELL * (C + 1), CELL * (C + 1), 3].
    """
    side = len(counts) + 1
    picture = np.full([side, side, CELL, CELL, 3], 255, np.uint8)
    shares = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    for (row, column), share in np.ndenumerate(shares):
        color = np.array(RIGHT if row == column else WRONG)
        cell = picture[row + 1, column + 1, 1:, 1:]
        cell[:] = 255 - share * (255 - color)
        if share:
            cell[_digits(int(counts[row, column]))] = 255 if share > 0.6 else 0
    for label in set(labels):
        example = 255 - images[labels == label][0][:, :, None]
        for header in (picture[label + 1, 0], picture[0, label + 1]):
            header[6:34, 6:34] = example
    return picture.swapaxes(1, 2).reshape(side * CELL, side * CELL, 3)


def _digits(number: int) -> NDArray[np.bool_]:
    """Where a cell is written on: bool [CELL - 1, CELL - 1], the digits in its middle."""
    rows = [[int(row) for row in DIGITS[5 * d : 5 * d + 5]] for d in map(int, str(number))]
    bits = np.array(rows).T[:, :, None] >> [3, 2, 1, 0] & 1
    # The first of each digit's four columns is the space before it.
    text = bits.reshape(5, -1)[:, 1:].repeat(2, axis=0).repeat(2, axis=1).astype(bool)
    before = [(CELL - 1 - length) // 2 for length in text.shape]
    after = [CELL - 1 - length - start for length, start in zip(text.shape, before, strict=True)]
    return np.pad(text, list(zip(before, after, strict=True)))
