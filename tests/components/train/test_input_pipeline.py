from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from components.train.trainer import input_pipeline
from components.train.trainer.hyperparameters import HyperparameterError
from components.train.trainer.input_pipeline import (
    InMemory,
    Source,
    Streamed,
    augment,
    open_source,
    share,
    training_batches,
)
from components.train.trainer.sampling import Draw
from components.train.trainer.splits import Examples, Split

from .conftest import GLYPHS, make_examples

INDICES = np.random.default_rng(5).permutation(320)
WEIGHTS = np.linspace(0.5, 1.5, 320, dtype=np.float32)
FIRST, SECOND = (Draw(number, INDICES, WEIGHTS) for number in (0, 1))


def batches(
    source: Source, draw: Draw = FIRST, *, augmentation: str = "none", seed: int = 0, **given: Any
) -> list[Any]:
    stream = training_batches(source, draw, 32, augmentation=augmentation, seed=seed, **given)
    return [tuple(each.numpy() for each in batch) for batch in stream]


def keys(some: list[Any]) -> list[bytes]:
    return [image.tobytes() for images, *_ in some for image in images]


@pytest.fixture(params=["in memory", "streamed"])
def source(request: pytest.FixtureRequest, train: Split, monkeypatch: pytest.MonkeyPatch) -> Source:
    if request.param == "streamed":
        monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    opened = open_source(train)
    assert isinstance(opened, Streamed if request.param == "streamed" else InMemory)
    return opened


def test_an_epoch_has_each_example_once_with_its_label(source: Source) -> None:
    images, labels = make_examples(320)
    expected = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    some = batches(source)
    assert source.count == len(keys(some)) == 320
    assert set(keys(some)) == set(expected)
    for found, given, _ in some:
        assert [expected[image.tobytes()] for image in found] == given.tolist()


def test_examples_in_memory_come_in_the_order_of_the_draw() -> None:
    examples = Examples(*make_examples(320))
    some = Draw(3, INDICES[:70], WEIGHTS[:70])
    got = batches(InMemory(examples), some)
    assert len(got) == 2
    for batch, first in zip(got, (0, 32), strict=True):
        chosen = some.indices[first : first + 32]
        expected = examples.images[chosen], examples.labels[chosen], WEIGHTS[first : first + 32]
        for found, wanted in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_streamed_examples_have_another_order_in_each_draw_and_with_each_seed(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    source = open_source(train)
    first = keys(batches(source))
    assert first == keys(batches(source))
    assert first != keys(batches(source, SECOND))
    assert first != keys(batches(source, seed=1))
    assert {float(weight) for _, _, weights in batches(source) for weight in weights} == {1.0}


def test_the_shares_of_a_batch_are_the_batch(source: Source) -> None:
    def shared(worker: int, replicas: int) -> list[Any]:
        stream = training_batches(source, FIRST, 32, augmentation="none", seed=0)
        return list(share(stream, 32, tf.distribute.InputContext(2, worker, replicas)))

    # Two workers with two replicas each.
    first, second = shared(0, 4), shared(1, 4)
    assert (len(first), len(second)) == (20, 20)
    for step, batch in enumerate(batches(source)):
        here = slice(2 * step, 2 * step + 2)
        for index, whole in enumerate(batch):
            found = np.concatenate([each[index] for each in [*first[here], *second[here]]])
            np.testing.assert_array_equal(found, whole)
    with pytest.raises(HyperparameterError, match="6 replicas cannot share a batch of 32"):
        shared(0, 6)


def changed(images: NDArray[np.uint8], kind: str, *, draw: int = 0) -> Any:
    number = tf.constant(0, tf.int64)
    return augment(tf.constant(images), kind, draw=draw, step=number, seed=7).numpy()


def test_flip_shows_each_image_both_ways_in_two_draws() -> None:
    images = make_examples(64)[0]
    even, odd = changed(images, "flip", draw=0), changed(images, "flip", draw=1)
    mirrored = images[:, :, ::-1]
    is_mirrored = (even == mirrored).all(axis=(1, 2))
    expected = np.where(is_mirrored[:, None, None], mirrored, images)
    np.testing.assert_array_equal(even, expected)
    np.testing.assert_array_equal(odd, expected[:, :, ::-1])
    assert 16 < is_mirrored.sum() < 48


def test_shift_moves_by_at_most_one_pixel_and_fills_with_background() -> None:
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


def test_pictures_in_colour_are_changed_as_their_channels_are() -> None:
    grey = make_examples(32, description=GLYPHS)[0]
    coloured = np.stack([grey] * 3, axis=-1)
    for kind in ("flip", "shift", "flip+shift"):
        changed_grey = changed(grey, kind)
        assert (changed_grey != grey).any()
        # Three times the sum of pixels is odd where one is.
        expected = np.stack([changed_grey] * 3, axis=-1)
        np.testing.assert_array_equal(changed(coloured, kind), expected)


def test_augmentations_combine_and_shifts_depend_on_the_step(source: Source) -> None:
    images = make_examples(16)[0]
    np.testing.assert_array_equal(changed(images, "none"), images)
    both = changed(images, "flip+shift")
    np.testing.assert_array_equal(both, changed(changed(images, "flip"), "shift"))
    first, later = (batches(source, augmentation="shift", start=start) for start in (0, 1))
    assert (first[0][0] != later[0][0]).any()
