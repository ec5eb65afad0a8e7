from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import tensorflow as tf

from components.dataset.errors import DataError
from components.train.trainer import input_pipeline
from components.train.trainer.input_pipeline import (
    WHOLE,
    InMemory,
    Part,
    Source,
    Streamed,
    open_source,
    read_examples,
    training_batches,
)
from components.train.trainer.sampling import Draw
from components.train.trainer.splits import Examples, Split
from components.train.trainer.util import Hyperparameters

from .conftest import make_examples, write_records

PLAIN = Hyperparameters(augmentation="none")
INDICES = np.random.default_rng(5).permutation(320)
WEIGHTS = np.linspace(0.5, 1.5, 320, dtype=np.float32)
FIRST, SECOND = (Draw(number, INDICES, WEIGHTS) for number in (0, 1))


def batches(source: Source, draw: Draw = FIRST, *, part: Part = WHOLE, seed: int = 0) -> list[Any]:
    hyperparameters = Hyperparameters(augmentation="none", seed=seed)
    stream = training_batches(source, draw, hyperparameters, 32, part=part)
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


def test_what_was_written_is_read(train: Split) -> None:
    images, labels = make_examples(320)
    read = read_examples(train.files)
    np.testing.assert_array_equal(read.images, np.concatenate([images[0::2], images[1::2]]))
    np.testing.assert_array_equal(read.labels, np.concatenate([labels[0::2], labels[1::2]]))
    assert read.images.dtype == np.uint8
    assert read.labels.dtype == np.int64


def test_a_round_holds_each_example_once(source: Source, train: Split) -> None:
    everything = {image.tobytes() for image in read_examples(train.files).images}
    assert source.count == len(everything) == 320
    found = keys(batches(source))
    assert len(found) == 320
    assert set(found) == everything


def test_examples_in_memory_come_as_they_were_drawn(train: Split) -> None:
    examples = read_examples(train.files)
    some = Draw(3, INDICES[:70], WEIGHTS[:70])
    got = batches(InMemory(examples), some)
    assert len(got) == 2
    for batch, first in zip(got, (0, 32), strict=True):
        chosen = some.indices[first : first + 32]
        np.testing.assert_array_equal(batch[0], examples.images[chosen])
        np.testing.assert_array_equal(batch[1], examples.labels[chosen])
        np.testing.assert_array_equal(batch[2], some.weights[first : first + 32])


def test_streamed_examples_have_another_order_in_each_round_and_with_each_seed(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    source = open_source(train)
    first = keys(batches(source))
    assert first == keys(batches(source))
    assert first != keys(batches(source, SECOND))
    assert first != keys(batches(source, seed=1))
    assert {float(weight) for _, _, weights in batches(source) for weight in weights} == {1.0}


def test_an_image_keeps_its_label(source: Source) -> None:
    images, labels = make_examples(320)
    expected = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for some, given, _ in batches(source):
        assert [expected[image.tobytes()] for image in some] == given.tolist()


def test_an_image_is_mirrored_in_every_other_round(source: Source) -> None:
    flip = Hyperparameters(augmentation="flip")
    seen = [
        {image.tobytes() for images, *_ in training_batches(source, draw, flip, 32)
         for image in images.numpy()}
        for draw in (FIRST, SECOND)
    ]  # fmt: skip
    images, _ = make_examples(320)
    both = {image.tobytes() for image in images} | {image.tobytes() for image in images[..., ::-1]}
    assert seen[0] | seen[1] == both
    assert not seen[0] & seen[1]


def test_shifts_hang_on_the_step(source: Source) -> None:
    shift = Hyperparameters(augmentation="shift")
    whole = [batch[0] for batch in training_batches(source, FIRST, shift, 32)]
    later = [batch[0] for batch in training_batches(source, FIRST, shift, 32, start=1)]
    again = [batch[0] for batch in training_batches(source, FIRST, shift, 32)]
    np.testing.assert_array_equal(whole, again)
    assert (whole[0] != later[0]).numpy().any()


def test_replicas_draw_the_same_shifts() -> None:
    images, labels = make_examples(8)
    source = InMemory(Examples(np.stack([images[0]] * 8), labels))
    draw = Draw(0, np.arange(8), np.ones(8, np.float32))
    given = Hyperparameters(augmentation="shift")
    shares = training_batches(source, draw, given, 8, part=Part(2, range(2)))
    first, second = (images.numpy() for images, *_ in shares)
    np.testing.assert_array_equal(first, second)
    assert len({image.tobytes() for image in first}) > 1


def test_the_parts_of_a_batch_are_the_batch(source: Source) -> None:
    whole = batches(source)
    both = batches(source, part=Part(4, range(2)))
    third = batches(source, part=Part(4, range(2, 3)))
    assert (len(both), len(third)) == (2 * len(whole), len(whole))
    for step, batch in enumerate(whole):
        shares = [*both[2 * step : 2 * step + 2], third[step]]
        for index, expected in enumerate(batch):
            found = np.concatenate([share[index] for share in shares])
            np.testing.assert_array_equal(expected[:24], found)


def test_batches_have_a_size_that_tracing_knows(source: Source) -> None:
    images, labels, weights = training_batches(source, FIRST, PLAIN, 32).element_spec
    assert images == tf.TensorSpec([32, 28, 28], tf.uint8)
    assert labels.dtype == tf.int64
    assert weights == tf.TensorSpec([32], tf.float32)


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


@pytest.mark.parametrize("promised", [10**6, 2**40, 2**62, 2**64 - 1])
def test_a_record_that_is_longer_than_its_file_is_no_end_of_the_process(
    promised: int, train: Split, tmp_path: Path
) -> None:
    length = promised.to_bytes(8, "little")
    checksum = google_crc32c.value(length)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    path = tmp_path / "long.tfrecord"
    sound = train.files[0].read_bytes()
    path.write_bytes(sound + length + masked.to_bytes(4, "little") + bytes(100))
    for read in (read_examples, Streamed):
        with pytest.raises(DataError, match=r"long\.tfrecord"):
            read([path])


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


def test_no_thread_tunes_the_batches_and_holds_up_their_end(source: Source) -> None:
    assert training_batches(source, FIRST, PLAIN, 32).options().autotune.enabled is False
