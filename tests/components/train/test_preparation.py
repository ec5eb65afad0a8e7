"""What the network sees of a photograph."""

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.train.trainer.preparation import prepare
from serving.photos import readable
from tests.idx_files import FASHION
from tests.photographs import PHOTOGRAPHS, Pixels, encoded

from .conftest import FLAGS, GLYPHS

Colour = str | tuple[int, int, int]


@functools.cache
def preparing(name: str, preparation: str = "subject") -> Any:
    description = {each.name: each for each in (FASHION, GLYPHS, FLAGS)}[name]
    description = dataclasses.replace(description, preparation=preparation)
    taking = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda content: prepare(content, description), input_signature=taking)


def network_input(data: bytes, name: str = FASHION.name, preparation: str = "subject") -> Pixels:
    seen: Pixels = preparing(name, preparation)(readable(data)).numpy()
    return seen


def seen_of(photo: Image.Image, *form: str) -> Pixels:
    return network_input(encoded(photo), *form)


def garment() -> Pixels:
    """An upright shape without any symmetry."""
    image = np.zeros((28, 28), np.uint8)
    image[:, 9:19] = 255
    image[:8, 4:19] = 160
    image[20:, 9:24] = 100
    return image


@pytest.mark.parametrize("kind", PHOTOGRAPHS)
def test_every_photograph_becomes_what_it_was_made_of(kind: str) -> None:
    seen = network_input(PHOTOGRAPHS[kind](garment()))
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
    assert (network_input(encoded(given)) == image).all()


def test_the_subject_is_trimmed_scaled_and_put_into_the_middle() -> None:
    photo = Image.new("RGB", (400, 300), "white")
    photo.paste((0, 0, 0), (50, 30, 90, 190))
    seen = seen_of(photo)
    assert list(np.flatnonzero(seen.max(axis=1))) == list(range(28))
    columns = np.flatnonzero(seen.max(axis=0))
    assert (columns[0], columns[-1]) == (11, 17), "a quarter as wide as high: 7 of 28 columns"
    assert seen[14, 14] == 255


def test_a_subject_that_reaches_the_border_is_not_taken_for_the_background() -> None:
    photo = Image.new("RGB", (300, 300), "white")
    photo.paste((30, 30, 30), (60, 0, 240, 300))
    seen = seen_of(photo)
    assert seen[:, 14].min() > 200
    assert seen[:, :3].max() == 0


def test_a_subject_of_another_colour_but_the_same_grey_is_seen() -> None:
    photo = Image.new("RGB", (300, 300), (0, 140, 0))
    photo.paste((255, 10, 0), (100, 50, 200, 250))
    seen = seen_of(photo)
    assert seen[14, 14] > 240
    assert seen[:, :5].max() == 0


def test_dust_at_the_border_does_not_widen_the_subject() -> None:
    photo = Image.new("RGB", (400, 400), "white")
    photo.paste((0, 0, 0), (150, 150, 250, 250))
    expected = seen_of(photo)
    for x, y in ((0, 0), (398, 3), (200, 397)):
        photo.paste((0, 0, 0), (x, y, x + 2, y + 2))
    assert (seen_of(photo) == expected).all()


@pytest.mark.parametrize("size", [(300, 200), (28, 28), (1, 1), (1, 900)])
@pytest.mark.parametrize("colour", ["white", "black", (120, 130, 140)])
def test_a_photo_with_nothing_on_it_is_black(colour: Any, size: tuple[int, int]) -> None:
    assert seen_of(Image.new("RGB", size, colour)).max() == 0


def drawn(background: Colour = "white", size: tuple[int, int] = (400, 400)) -> Image.Image:
    """A dark garment in the middle."""
    photo = Image.new("RGB", size, background)
    mark = Image.fromarray(garment()).resize((224, 224), Image.Resampling.NEAREST)
    place = ((size[0] - 224) // 2, (size[1] - 224) // 2)
    photo.paste((30, 20, 60), place, mark)
    return photo


def framed(colour: Colour, *, sides: tuple[int, int, int, int] = (30, 30, 30, 30)) -> Image.Image:
    """With bars to the left, above, to the right and below, so many pixels wide."""
    photo = drawn()
    left, above, right, below = sides
    larger = Image.new("RGB", (photo.width + left + right, photo.height + above + below), colour)
    larger.paste(photo, (left, above))
    return larger


@pytest.mark.parametrize(
    "photo",
    [
        framed("black"),
        framed((200, 30, 30)),
        framed("black", sides=(0, 120, 0, 120)),
        framed((90, 90, 90), sides=(150, 0, 150, 0)),
        framed("black", sides=(0, 119, 0, 121)),
    ],
)
def test_a_frame_and_bars_are_taken_off_before_the_background_is_looked_for(
    photo: Image.Image,
) -> None:
    difference = np.abs(seen_of(photo).astype(int) - seen_of(drawn()))
    assert difference.mean() < 8


@pytest.mark.parametrize("size", [(1000, 1000), (1000, 560), (560, 1000)])
@pytest.mark.parametrize("scale", [3, 5])
def test_a_small_subject_is_seen_as_a_large_one(scale: int, size: tuple[int, int]) -> None:
    photo = Image.new("RGB", size, "white")
    mark = Image.fromarray(garment()).resize((28 * scale,) * 2, Image.Resampling.BICUBIC)
    photo.paste((30, 20, 60), (size[0] // 3, size[1] // 3), mark)
    difference = np.abs(seen_of(photo).astype(int) - garment())
    assert difference.mean() < 12


def test_the_margin_around_a_subject_is_not_taken_for_a_frame() -> None:
    photo = Image.new("RGB", (400, 400), "white")
    photo.paste((30, 30, 30), (140, 140, 260, 260))
    photo.paste((200, 40, 40), (170, 170, 230, 230))
    assert seen_of(photo).min() > 100


def test_a_garment_that_spans_the_photo_is_not_taken_for_a_bar() -> None:
    photo = Image.new("RGB", (300, 300), "white")
    photo.paste((30, 30, 30), (0, 100, 300, 220))
    seen = seen_of(photo)
    assert seen.max(axis=1).astype(bool).sum() == pytest.approx(28 * 120 / 300, abs=1)
    assert seen[14].min() > 200


@pytest.mark.parametrize("corner", [(5, 5), (360, 8), (350, 370)])
def test_a_small_piece_far_from_the_subject_is_left_out(corner: tuple[int, int]) -> None:
    photo = drawn()
    photo.paste((200, 30, 30), (*corner, corner[0] + 30, corner[1] + 20))
    assert (seen_of(photo) == seen_of(drawn())).all()


def test_a_pair_of_shoes_stays_a_pair() -> None:
    photo = Image.new("RGB", (400, 300), "white")
    for left in (40, 240):
        photo.paste((0, 0, 0), (left, 100, left + 120, 200))
    columns = seen_of(photo).max(axis=0)
    assert columns[0] > 200
    assert columns[27] > 200


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_an_image_of_the_data_set_passes_to_the_last_bit(kind: str) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (28, 28), np.uint8)
    image[[0, -1]], image[:, [0, -1]] = 0, 0
    image[0, 5] = 255
    assert (preparing(FASHION.name)(encoded(Image.fromarray(image), kind)).numpy() == image).all()


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [((50, 30, 90, 170), (0, 11), (9, 11)), ((50, 30, 250, 70), (4, 7), (0, 19))],
)
def test_a_subject_fits_into_pictures_that_are_not_square(
    box: tuple[int, int, int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    photo = Image.new("RGB", (400, 300), "white")
    photo.paste((0, 0, 0), box)
    seen = seen_of(photo, GLYPHS.name)
    assert seen.shape == (12, 20)
    for axis, expected in ((1, rows), (0, columns)):
        places = np.flatnonzero(seen.max(axis=axis))
        assert (places[0], places[-1]) == expected


def test_in_colour_the_subject_is_cut_out_as_it_is() -> None:
    photo = Image.new("RGB", (400, 300), (240, 240, 200))
    photo.paste((200, 30, 30), (0, 100, 60, 220))
    photo.paste((10, 10, 90), (20, 140, 40, 180))
    seen = seen_of(photo, FLAGS.name).astype(int)
    assert seen.shape == (32, 32, 3)
    # The subject is half as wide as high: 16 columns in the middle. To its left the photo ends.
    for place, colour in (
        ((16, 2), (240, 240, 200)),
        ((16, 29), (240, 240, 200)),
        ((3, 11), (200, 30, 30)),
        ((16, 16), (10, 10, 90)),
    ):
        assert np.abs(seen[place] - colour).max() <= 2, place


def test_a_subject_is_cut_out_as_sharp_as_the_photo_is() -> None:
    photo = Image.new("RGB", (2400, 2400), "white")
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::32] = stripes[:, 1::32] = stripes[:, 2::32] = stripes[:, 3::32] = 200
    photo.paste(Image.fromarray(stripes), (900, 1300))
    large = dataclasses.replace(FLAGS, height=256, width=256)
    seen = prepare(encoded(photo), large).numpy()
    assert np.abs(seen.astype(int) - stripes).mean() < 4


@pytest.mark.parametrize("name", [GLYPHS.name, FLAGS.name])
def test_the_whole_photo_is_scaled_where_the_description_says_so(name: str) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    photo = Image.fromarray(colours).resize((350, 450), Image.Resampling.BICUBIC)
    seen = seen_of(photo, name, "scaled")
    size, mode = ((20, 12), "L") if name == GLYPHS.name else ((32, 32), "RGB")
    expected = photo.resize(size, Image.Resampling.BILINEAR).convert(mode)
    assert np.abs(seen.astype(int) - np.asarray(expected)).max() <= 2


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ((GLYPHS.name, "scaled"), (12, 20)),
        ((FLAGS.name, "scaled"), (32, 32, 3)),
        ((FLAGS.name, "subject"), (32, 32, 3)),
    ],
)
def test_a_picture_of_the_right_size_passes_to_the_last_bit(
    form: tuple[str, str], shape: tuple[int, ...]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert (seen_of(Image.fromarray(image), *form) == image).all()


def test_a_photo_with_nothing_on_it_is_black_in_colour_too() -> None:
    assert seen_of(Image.new("RGB", (300, 200), (120, 130, 140)), FLAGS.name).max() == 0
