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
        read = read_all(io.BytesIO(pack(payload)), "file.gz", kind)
        np.testing.assert_array_equal(read, expected)


def test_a_gzip_file_of_several_members_is_one_payload() -> None:
    parts = gzip.compress(LABELS_PAYLOAD[:20]) + gzip.compress(LABELS_PAYLOAD[20:])
    np.testing.assert_array_equal(read_all(io.BytesIO(parts), "file.gz", idx.LABELS), LABELS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"ends at byte 0 .* expected 16"),
        (IMAGES_PAYLOAD[:7], r"ends at byte 7 .* expected 16"),
        (b"<!DOCTYPE html><html>", r"at byte 0 .*<!DO.* expected the magic number 0x00000803"),
        (LABELS_PAYLOAD, r"at byte 0 .* expected the magic number 0x00000803"),
        (header(IMAGES_MAGIC, 1, 32, 32) + bytes(1024), r"32x32 \(at byte 8\), expected 28x28"),
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
        read_all(io.BytesIO(content), "photos.gz", idx.IMAGES)


def test_a_label_above_nine_is_an_error_that_names_its_offset() -> None:
    payload = bytearray(LABELS_PAYLOAD)
    payload[8 + 33] = 10
    with pytest.raises(DataError, match=r"label 10 at byte 41 .* expected 0 to 9"):
        list(idx.Examples(io.BytesIO(payload), "labels.gz", idx.LABELS).chunks(7))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_memory_follows_the_data_and_not_what_the_header_promises(
    pack: Callable[[bytes], bytes],
) -> None:
    liar = pack(header(LABELS_MAGIC, 4_000_000_000) + bytes(100))
    tracemalloc.start()
    with pytest.raises(DataError, match="ends at byte 108"):
        read_all(io.BytesIO(liar), "file.gz", idx.LABELS)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_a_set_without_examples_is_an_empty_array() -> None:
    empty = io.BytesIO(header(IMAGES_MAGIC, 0, 28, 28))
    assert read_all(empty, "file.gz", idx.IMAGES).shape == (0, 28, 28)
