import dataclasses
from pathlib import Path

import numpy as np
import pytest

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.records import form_of, frame_records, read_records
from tests.idx_files import FASHION, shuffled_labels, synthetic_images

LABELS = shuffled_labels(3)
IMAGES = synthetic_images(LABELS)
RECORD_BYTES = 838
MANY = Description("many", tuple(map(str, range(200))), 12, 20, 3)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "train-00000-of-00001.tfrecord"
    path.write_bytes(frame_records(IMAGES, LABELS, FASHION).tobytes())
    return path


def test_the_bytes_are_those_of_tensorflow(shard: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    theirs = tmp_path / "theirs.tfrecord"
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for image, label in zip(IMAGES, LABELS, strict=True):
            pixels = tf.train.BytesList(value=[image.tobytes()])
            feature = {
                "image": tf.train.Feature(bytes_list=pixels),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString(deterministic=True))
    assert shard.read_bytes() == theirs.read_bytes()


def test_images_may_be_flat_and_none(shard: Path) -> None:
    assert frame_records(IMAGES.reshape(-1, 784), LABELS, FASHION).tobytes() == shard.read_bytes()
    assert frame_records(IMAGES[:0], LABELS[:0], FASHION).shape == (0, RECORD_BYTES)


def test_a_label_without_a_class_is_refused() -> None:
    with pytest.raises(ValueError, match="label 200"):
        frame_records(IMAGES[:1], np.array([200], np.uint8), FASHION)


def test_what_was_written_is_read_in_batches(shard: Path) -> None:
    batches = list(read_records(shard, FASHION, batch=8))
    assert [len(labels) for _, labels in batches] == [8, 8, 8, 6]
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), IMAGES)
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), LABELS)


@pytest.mark.parametrize("place", [0, 9, 100, 12 + 821, RECORD_BYTES - 1])
def test_one_changed_byte_and_a_missing_one_are_found(shard: Path, place: int) -> None:
    content = bytearray(shard.read_bytes())
    content[5 * RECORD_BYTES + place] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DataError, match=f"{shard.name} .*byte {5 * RECORD_BYTES}"):
        list(read_records(shard, FASHION, batch=4))
    shard.write_bytes(content[:-1])
    with pytest.raises(DataError, match=f"truncated at byte {30 * RECORD_BYTES - 1}"):
        list(read_records(shard, FASHION))


def test_records_of_any_form_are_read_by_tensorflow_too(tmp_path: Path) -> None:
    import tensorflow as tf

    labels = np.array([0, 5, 127, 128, 199], np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 20, 3), np.uint8)
    path = tmp_path / "train.tfrecord"
    path.write_bytes(frame_records(images, labels, MANY).tobytes())
    assert path.stat().st_size == 5 * form_of(MANY).record_bytes
    ((read, numbers),) = read_records(path, MANY)
    np.testing.assert_array_equal(read, images)
    assert numbers.tolist() == labels.tolist()
    image, label = (tf.io.FixedLenFeature([], kind) for kind in (tf.string, tf.int64))
    for place, record in enumerate(tf.data.TFRecordDataset(str(path))):
        features = tf.io.parse_single_example(record, {"image": image, "label": label})
        assert features["image"].numpy() == images[place].tobytes()
        assert features["label"].numpy() == labels[place]
    fewer = dataclasses.replace(MANY, classes=MANY.classes[:150])
    with pytest.raises(DataError, match=f"damaged record at byte {4 * form_of(MANY).record_bytes}"):
        list(read_records(path, fewer))
