"""What the network sees of a photograph."""

import numpy as np
import pytest
from PIL import Image

from pipeline.photos.decoding import PhotoError
from pipeline.photos.preparation import prepare, seen_by_network
from tests.photographs import PHOTOGRAPHS, Pixels, encoded


def garment() -> Pixels:
    """An upright shape without any symmetry."""
    image = np.zeros((28, 28), np.uint8)
    image[:, 9:19] = 255
    image[:8, 4:19] = 160
    image[20:, 9:24] = 100
    return image


@pytest.mark.parametrize("kind", PHOTOGRAPHS)
def test_every_photograph_becomes_what_it_was_made_of(kind: str) -> None:
    seen = seen_by_network(PHOTOGRAPHS[kind](garment()))
    assert seen.shape == (28, 28)
    assert seen.dtype == np.uint8
    difference = np.abs(seen.astype(int) - garment())
    assert difference.mean() < 12, f"{kind}\n{seen}"


@pytest.mark.parametrize("negated", [False, True])
def test_an_image_of_the_right_size_is_used_pixel_by_pixel(negated: bool) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[3:9, 20:22] = 255
    image[3, 20] = 7
    given = Image.fromarray(255 - image if negated else image)
    assert (seen_by_network(encoded(given)) == image).all()


def test_the_subject_is_trimmed_scaled_and_put_into_the_middle() -> None:
    photo = Image.new("RGB", (400, 300), "white")
    photo.paste((0, 0, 0), (50, 30, 90, 190))
    seen = prepare(photo)
    assert list(np.flatnonzero(seen.max(axis=1))) == list(range(28))
    columns = np.flatnonzero(seen.max(axis=0))
    assert (columns[0], columns[-1]) == (11, 17), "a quarter as wide as high: 7 of 28 columns"
    assert seen[14, 14] == 255


def test_a_subject_that_reaches_the_border_is_not_taken_for_the_background() -> None:
    photo = Image.new("RGB", (300, 300), "white")
    photo.paste((30, 30, 30), (60, 0, 240, 300))
    seen = prepare(photo)
    assert seen[:, 14].min() > 200
    assert seen[:, :3].max() == 0


def test_a_subject_of_another_colour_but_the_same_grey_is_seen() -> None:
    photo = Image.new("RGB", (300, 300), (0, 140, 0))
    photo.paste((255, 10, 0), (100, 50, 200, 250))
    seen = prepare(photo)
    assert seen[14, 14] > 240
    assert seen[:, :5].max() == 0


def test_dust_at_the_border_does_not_widen_the_subject() -> None:
    photo = Image.new("RGB", (400, 400), "white")
    photo.paste((0, 0, 0), (150, 150, 250, 250))
    expected = prepare(photo)
    for x, y in ((0, 0), (398, 3), (200, 397)):
        photo.paste((0, 0, 0), (x, y, x + 2, y + 2))
    assert (prepare(photo) == expected).all()


@pytest.mark.parametrize("colour", ["white", "black", (120, 130, 140)])
def test_a_photo_with_nothing_on_it_is_refused(colour: str) -> None:
    with pytest.raises(PhotoError, match="no subject found against the background"):
        seen_by_network(encoded(Image.new("RGB", (300, 200), colour)))
    with pytest.raises(PhotoError, match="no subject"):
        seen_by_network(encoded(Image.new("RGB", (28, 28), colour)))
