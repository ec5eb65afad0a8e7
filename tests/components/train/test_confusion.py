import numpy as np
import pytest
from numpy.typing import NDArray

from components.train.trainer.confusion import CELL, draw

IMAGES = np.full([2, 28, 28], 200, np.uint8)
LABELS = np.array([0, 1])


def cells(counts: list[list[int]], labels: NDArray[np.int64] = LABELS) -> NDArray[np.uint8]:
    """The picture as [row, column, CELL, CELL, 3], its first row and column the classes'."""
    picture = draw(np.array(counts), IMAGES, labels)
    side = len(counts) + 1
    assert picture.shape == (side * CELL, side * CELL, 3)
    assert picture.dtype == np.uint8
    return picture.reshape(side, CELL, side, CELL, 3).swapaxes(1, 2)


def ground(cell: NDArray[np.uint8]) -> list[int]:
    """The color beside the digits."""
    color: list[int] = cell[-1, -1].tolist()
    return color


def test_what_is_right_is_blue_and_what_is_wrong_is_red_the_more_the_darker() -> None:
    picture = cells([[90, 10], [40, 60]])
    for row in (1, 2):
        red, _, blue = ground(picture[row, row])
        assert red < blue
        red, _, blue = ground(picture[row, 3 - row])
        assert red > blue
    assert sum(ground(picture[2, 1])) < sum(ground(picture[1, 2])) < 3 * 255


def test_a_rare_mistake_can_be_seen() -> None:
    picture = cells([[499, 1], [0, 500]])
    assert 3 * 255 - sum(ground(picture[1, 2])) > 20
    assert ground(picture[2, 1]) == [255, 255, 255]


@pytest.mark.parametrize("number", [7, 42, 508, 1936])
def test_each_count_stands_in_its_cell_and_nothing_where_there_is_none(number: int) -> None:
    cell = cells([[number, 0], [0, 0]])[1, 1]
    written = (cell[1:, 1:] == 255).all(axis=2)
    columns = np.flatnonzero(written.any(axis=0))
    digits = len(str(number))
    assert np.ptp(columns) + 1 <= 8 * digits - 2
    assert read(written) == str(number)
    assert len(np.unique(cells([[number, 0], [0, 0]])[1, 2][1:, 1:])) == 1


def read(written: NDArray[np.bool_]) -> str:
    """The number that a cell shows: three points for each digit that tell all ten apart."""
    shapes = {
        "0": "###/#.#/#.#/#.#/###",
        "1": ".#./##./.#./.#./###",
        "2": "###/..#/###/#../###",
        "3": "###/..#/###/..#/###",
        "4": "#.#/#.#/###/..#/..#",
        "5": "###/#../###/..#/###",
        "6": "###/#../###/#.#/###",
        "7": "###/..#/..#/..#/..#",
        "8": "###/#.#/###/#.#/###",
        "9": "###/#.#/###/..#/###",
    }
    rows = np.flatnonzero(written.any(axis=1))
    small = written[rows[0] : rows[-1] + 1 : 2, ::2]
    if not small.any(axis=1).all():
        small = written[rows[0] : rows[-1] + 1 : 2, 1::2]
    found, text, start = {shape: digit for digit, shape in shapes.items()}, "", 0
    while start + 3 <= small.shape[1]:
        block = small[:, start : start + 3]
        shape = "/".join("".join("#" if on else "." for on in row) for row in block)
        if shape in found:
            text += found[shape]
            start += 4
        else:
            start += 1
    return text


def test_rows_and_columns_begin_with_a_picture_of_their_class() -> None:
    picture = cells([[1, 0], [0, 1]], np.array([1, 1]))
    garment = [55, 55, 55]
    assert picture[2, 0, CELL // 2, CELL // 2].tolist() == garment
    assert picture[0, 2, CELL // 2, CELL // 2].tolist() == garment
    # No example of the first class was given.
    assert picture[1, 0].min() == picture[0, 1].min() == picture[0, 0].min() == 255
