from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.train.trainer.augmentation import augment


def changed(images: NDArray[np.uint8], kind: str, *, draw: int = 0, step: int = 0) -> Any:
    numbers: Any = {"draw": draw, "step": tf.constant(step, tf.int64)}
    return augment(tf.constant(images), kind, seed=7, **numbers).numpy()


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def test_none_leaves_the_images_as_they_are() -> None:
    images = pictures(4)
    np.testing.assert_array_equal(changed(images, "none"), images)


def test_flip_shows_each_image_both_ways_in_two_rounds() -> None:
    images = pictures(64)
    even, odd = changed(images, "flip", draw=0), changed(images, "flip", draw=1)
    mirrored = images[:, :, ::-1]
    is_mirrored = (even == mirrored).all(axis=(1, 2))
    expected = np.where(is_mirrored[:, None, None], mirrored, images)
    np.testing.assert_array_equal(even, expected)
    np.testing.assert_array_equal(odd, expected[:, :, ::-1])
    assert 16 < is_mirrored.sum() < 48


def test_shift_moves_by_one_pixel_at_most_and_fills_with_background() -> None:
    images = np.zeros((200, 28, 28), np.uint8)
    images[:, 14, 14] = 200
    images[:, 27, 0] = 100
    moved = changed(images, "shift")
    places = np.argwhere(moved == 200)[:, 1:]
    assert {tuple(place) for place in places.tolist()} == {
        (row, column) for row in (13, 14, 15) for column in (13, 14, 15)
    }
    assert 0 < (moved == 100).sum() < 200
    assert set(np.unique(moved)) == {0, 100, 200}


def test_shift_hangs_on_the_step_alone() -> None:
    images = pictures(16)
    np.testing.assert_array_equal(changed(images, "shift"), changed(images, "shift"))
    assert (changed(images, "shift") != changed(images, "shift", step=1)).any()


def test_flip_and_shift_do_both() -> None:
    images = pictures(16)
    both = changed(images, "flip+shift")
    np.testing.assert_array_equal(both, changed(changed(images, "flip"), "shift"))
    assert both.dtype == np.uint8
