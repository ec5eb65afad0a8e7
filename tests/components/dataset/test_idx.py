import dataclasses
import gzip
import io
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from components.dataset import idx
from components.dataset.errors import DataError
from components.dataset.idx import read_all
from tests.idx_files import (
    FASHION,
    IMAGES_MAGIC,
    LABELS_MAGIC,
    header,
    images_payload,
    labels_payload,
    shuffled_labels,
    synthetic_images,
)

LABELS = shuffled_labels(5)
IMAGES = synthetic_images(LABELS)
IMAGES_PAYLOAD = images_payload(IMAGES)
LABELS_PAYLOAD = labels_payload(LABELS)


def with_zeros(payload: bytes) -> bytes:
    return gzip.compress(payload) + bytes(512)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, with_zeros])
def test_gzipped_and_plain_files_read_the_same(pack: Callable[[bytes], bytes]) -> None:
    for payload, kind, expected in (
        (IMAGES_PAYLOAD, idx.IMAGES, IMAGES),
        (LABELS_PAYLOAD, idx.LABELS, LABELS),
    ):
        read = read_all(io.BytesIO(pack(payload)), "file.gz", kind, FASHION)
        np.testing.assert_array_equal(read, expected)


def test_a_gzip_file_of_several_members_is_one_payload() -> None:
    parts = gzip.compress(LABELS_PAYLOAD[:20]) + gzip.compress(LABELS_PAYLOAD[20:])
    np.testing.assert_array_equal(
        read_all(io.BytesIO(parts), "file.gz", idx.LABELS, FASHION), LABELS
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"ends at byte 0 .* expected 8"),
        (IMAGES_PAYLOAD[:7], r"ends at byte 7 .* expected 16"),
        (b"<!DOCTYPE html><html>", "it is a page of HTML; use another source"),
        (b"BZh91AY&SY", "it is packed with bzip2; unpack it"),
        (b"PK\3\4abcd", "it is a zip archive; unpack it"),
        (b"version https://git-lfs", "a pointer of Git LFS; `git lfs pull`"),
        (gzip.compress(gzip.compress(IMAGES_PAYLOAD)), "it is gzipped twice"),
        (header(0x00000802, 1, 784) + bytes(784), "each image is one row of values"),
        (LABELS_PAYLOAD, "it holds labels, expected images"),
        (
            header(IMAGES_MAGIC, 1, 32, 32) + bytes(1024),
            r"32x32 \(at byte 8\), expected 28x28 as in FashionMNIST; correct height",
        ),
        (header(IMAGES_MAGIC, 1, 1 << 31, 28), r"2147483648x28 .* expected 8 to 256 pixels"),
        (header(0x00000804, 1, 28, 28, 2) + bytes(1568), "1 or 3 channels"),
        (header(0x00000D03, 1, 28, 28) + bytes(3136), "at byte 0 .* expected uint8 images"),
        (IMAGES_PAYLOAD[:-1], rf"ends at byte {len(IMAGES_PAYLOAD) - 1} .* {len(IMAGES_PAYLOAD)}"),
        (IMAGES_PAYLOAD + b"\0", rf"trailing bytes.* end at byte {len(IMAGES_PAYLOAD)}"),
        (gzip.compress(IMAGES_PAYLOAD)[:-3], "truncated: its gzip stream has no end"),
        (gzip.compress(IMAGES_PAYLOAD)[:5000], "truncated: its gzip stream has no end"),
        (gzip.compress(IMAGES_PAYLOAD) + b"junk", "damaged gzip"),
        (with_zeros(IMAGES_PAYLOAD) + b"junk", "damaged gzip"),
        (gzip.compress(IMAGES_PAYLOAD)[:-8] + bytes(8), "damaged gzip"),
    ],
)
def test_a_broken_file_is_an_error_that_names_file_place_and_expectation(
    content: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=f"(?s)^photos.gz .*{said}"):
        read_all(io.BytesIO(content), "photos.gz", idx.IMAGES, FASHION)


def test_a_label_without_a_class_is_an_error_that_names_its_offset() -> None:
    payload = bytearray(LABELS_PAYLOAD)
    payload[8 + 33] = 10
    with pytest.raises(DataError, match=r"label 10 at byte 41 .* expected 0 to 9"):
        list(idx.Examples(io.BytesIO(payload), "labels.gz", idx.LABELS, FASHION).chunks(7))


@pytest.mark.parametrize("type_", [">u1", ">i2", ">i4"])
def test_labels_have_8_16_or_32_bits_and_may_be_the_first_of_several_columns(type_: str) -> None:
    code = {">u1": 0x08, ">i2": 0x0B, ">i4": 0x0C}[type_] << 8
    for columns in ((), (8,)):
        table = np.broadcast_to(LABELS.reshape(-1, *[1] * len(columns)) + 3, (50, *columns))
        numbers = (50, *columns)
        payload = header(code + len(numbers), *numbers) + table.astype(type_).tobytes()
        about = dataclasses.replace(FASHION, first_label=3)
        read = read_all(io.BytesIO(payload), "labels", idx.LABELS, about)
        assert read.dtype == np.uint8
        assert read.tolist() == LABELS.tolist()
        examples = idx.Examples(io.BytesIO(payload), "labels", idx.LABELS)
        values = [
            v for block in examples.blocks(examples.example_bytes) for v in examples.values(block)
        ]
        assert values == (LABELS + 3).tolist()


def test_images_may_have_a_size_of_their_own_channels_and_be_transposed() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 20, 3), np.uint8)
    about = dataclasses.replace(FASHION, height=12, width=20, channels=3)
    payload = header(0x00000804, *images.shape) + images.tobytes()
    read = read_all(io.BytesIO(payload), "a", idx.IMAGES, about)
    np.testing.assert_array_equal(read, images)
    turned = images.swapaxes(1, 2)
    payload = header(0x00000804, *turned.shape) + turned.tobytes()
    about = dataclasses.replace(about, transposed=True)
    read = read_all(io.BytesIO(payload), "a", idx.IMAGES, about)
    np.testing.assert_array_equal(read, images)
    grey = header(0x00000804, 50, 28, 28, 1) + IMAGES.tobytes()
    np.testing.assert_array_equal(read_all(io.BytesIO(grey), "a", idx.IMAGES, FASHION), IMAGES)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_memory_follows_the_data_and_not_what_the_header_promises(
    pack: Callable[[bytes], bytes],
) -> None:
    liar = pack(header(LABELS_MAGIC, 4_000_000_000) + bytes(100))
    tracemalloc.start()
    with pytest.raises(DataError, match="ends at byte 108"):
        read_all(io.BytesIO(liar), "file.gz", idx.LABELS, FASHION)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_a_set_without_examples_is_an_empty_array() -> None:
    empty = io.BytesIO(header(IMAGES_MAGIC, 0, 28, 28))
    assert read_all(empty, "file.gz", idx.IMAGES, FASHION).shape == (0, 28, 28)
