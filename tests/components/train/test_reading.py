from collections.abc import Callable
from pathlib import Path

import google_crc32c
import numpy as np
import pytest

from components.dataset.errors import DataError
from components.train.trainer.input_pipeline import Streamed
from components.train.trainer.reading import read_examples
from components.train.trainer.splits import Split

from .conftest import make_examples, write_records


def test_what_was_written_is_read(train: Split) -> None:
    images, labels = make_examples(320)
    read = read_examples(train.files)
    np.testing.assert_array_equal(read.images, np.concatenate([images[0::2], images[1::2]]))
    np.testing.assert_array_equal(read.labels, np.concatenate([labels[0::2], labels[1::2]]))
    assert [str(array.dtype) for array in read] == ["uint8", "int64"]


def flipped(content: bytes) -> bytes:
    return content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]


def longer_than_its_file(content: bytes, promised: int = 2**62) -> bytes:
    length = promised.to_bytes(8, "little")
    checksum = int(google_crc32c.value(length))
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return content + length + masked.to_bytes(4, "little") + bytes(100)


@pytest.mark.parametrize(
    "harm", [flipped, longer_than_its_file, lambda content: content[:-10], lambda _: b"<html>" * 9]
)
def test_a_damaged_file_is_named(
    harm: Callable[[bytes], bytes], train: Split, tmp_path: Path
) -> None:
    path = tmp_path / "harmed.tfrecord"
    path.write_bytes(harm(train.files[0].read_bytes()))
    for read in (read_examples, Streamed):
        with pytest.raises(DataError, match=r"harmed\.tfrecord"):
            read([train.files[1], path])


def test_images_of_another_size_and_a_file_without_examples_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.tfrecord"
    write_records(path, np.zeros((3, 32, 32), np.uint8), np.zeros(3, np.int64))
    with pytest.raises(DataError, match=r"large\.tfrecord"):
        read_examples([path])
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"no examples in .*large\.tfrecord"):
        read_examples([path])


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_out_of_range_is_named_with_its_record(label: int, tmp_path: Path) -> None:
    images, labels = make_examples(5)
    labels[3] = label
    path = tmp_path / "labels.tfrecord"
    write_records(path, images, labels)
    with pytest.raises(DataError, match=rf"labels\.tfrecord: record 3 has label {label}"):
        read_examples([path])
