from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.dataset.errors import DataError
from components.train.trainer import input_pipeline
from components.train.trainer.input_pipeline import (
    InMemory,
    Part,
    Source,
    Streamed,
    open_source,
    read_examples,
    training_batches,
)
from components.train.trainer.splits import Examples, Split
from components.train.trainer.util import Hyperparameters

from .conftest import make_examples, write_records

PLAIN = Hyperparameters(augmentation="none")


def batches(source: Source, count: int, *, start: int = 0, seed: int = 0) -> list[Any]:
    hyperparameters = Hyperparameters(augmentation="none", seed=seed)
    stream = training_batches(source, hyperparameters, 32, start=start)
    return [(images.numpy(), labels.numpy()) for images, labels in islice(stream, count)]


def keys(some: list[Any]) -> list[bytes]:
    return [image.tobytes() for images, _ in some for image in images]


@pytest.fixture(params=["in memory", "streamed"])
def source(request: pytest.FixtureRequest, train: Split, monkeypatch: pytest.MonkeyPatch) -> Source:
    if request.param == "streamed":
        monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    opened = open_source(train)
    assert isinstance(opened, Streamed if request.param == "streamed" else InMemory)
    return opened


def test_what_was_written_is_read(train: Split) -> None:
    images, labels = make_examples(320)
    read = read_examples(train.files)
    np.testing.assert_array_equal(read.images, np.concatenate([images[0::2], images[1::2]]))
    np.testing.assert_array_equal(read.labels, np.concatenate([labels[0::2], labels[1::2]]))
    assert read.images.dtype == np.uint8
    assert read.labels.dtype == np.int64


def test_each_epoch_holds_each_example_once_in_another_order(source: Source) -> None:
    assert source.count == 320
    everything = batches(source, 20)
    first, second = keys(everything[:10]), keys(everything[10:])
    assert set(first) == set(second) == set(keys(batches(source, 10)))
    assert len(set(first)) == 320
    assert first != second


def test_an_image_keeps_its_label(source: Source) -> None:
    images, labels = make_examples(320)
    expected = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for some, given in batches(source, 10):
        assert [expected[image.tobytes()] for image in some] == given.tolist()


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(source: Source) -> None:
    assert keys(batches(source, 12)) == keys(batches(source, 12))
    assert keys(batches(source, 12)) != keys(batches(source, 12, seed=1))


@pytest.mark.parametrize("start", [4, 10, 13])
def test_a_run_taken_up_in_the_middle_gets_the_batches_it_would_have_had(
    source: Source, start: int
) -> None:
    assert keys(batches(source, 4, start=start)) == keys(batches(source, 24)[start : start + 4])


def test_augmentation_goes_on_where_a_run_is_taken_up(source: Source) -> None:
    both = Hyperparameters(augmentation="flip+shift")
    whole = list(islice(training_batches(source, both, 32), 15))
    rest = list(islice(training_batches(source, both, 32, start=13), 2))
    for (expected, _), (given, _) in zip(whole[13:], rest, strict=True):
        np.testing.assert_array_equal(given, expected)


def test_the_parts_of_a_batch_are_the_batch(source: Source) -> None:
    whole = batches(source, 3, start=9)
    parts = [
        list(islice(training_batches(source, PLAIN, 32, start=9, part=part), count))
        for part, count in ((Part(4, range(2)), 6), (Part(4, range(2, 3)), 3))
    ]
    for step, (images, labels) in enumerate(whole):
        shares = [*parts[0][2 * step : 2 * step + 2], parts[1][step]]
        np.testing.assert_array_equal(images[:24], np.concatenate([share[0] for share in shares]))
        np.testing.assert_array_equal(labels[:24], np.concatenate([share[1] for share in shares]))


def test_batches_have_a_size_that_tracing_knows(source: Source) -> None:
    images, labels = training_batches(source, PLAIN, 32).element_spec
    assert images == tf.TensorSpec([32, 28, 28], tf.uint8)
    assert labels.dtype == tf.int64


def test_a_damaged_file_is_named(train: Split, tmp_path: Path) -> None:
    damaged = bytearray(train.files[0].read_bytes())
    damaged[5000] ^= 1
    path = tmp_path / "damaged.tfrecord"
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"damaged\.tfrecord"):
        read_examples([train.files[1], path])


def test_a_truncated_file_is_named(train: Split, tmp_path: Path) -> None:
    path = tmp_path / "short.tfrecord"
    path.write_bytes(train.files[0].read_bytes()[:-10])
    with pytest.raises(DataError, match=r"short\.tfrecord"):
        read_examples([path])


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.tfrecord"
    write_records(path, np.zeros((3, 32, 32), np.uint8), np.zeros(3, np.int64))
    with pytest.raises(DataError, match=r"large\.tfrecord"):
        read_examples([path])


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_out_of_range_is_named_with_its_record(label: int, tmp_path: Path) -> None:
    images, labels = make_examples(5)
    labels[3] = label
    path = tmp_path / "labels.tfrecord"
    write_records(path, images, labels)
    for read in (read_examples, Streamed):
        with pytest.raises(DataError, match=rf"labels\.tfrecord: record 3 has label {label}"):
            read([path])


def test_no_examples_at_all_are_refused(tmp_path: Path) -> None:
    write_records(tmp_path / "a.tfrecord", *Examples(*make_examples(0)))
    with pytest.raises(DataError, match=r"a\.tfrecord"):
        read_examples([tmp_path / "a.tfrecord"])
