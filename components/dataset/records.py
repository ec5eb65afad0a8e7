"""Records: ``tf.train.Example`` wire bytes in TFRecord framing, without TensorFlow.

Every example has the same size, so a batch of records is one template row per example with the
image, the label and the checksum filled in. The bytes equal what TensorFlow's
``TFRecordWriter`` writes of ``SerializeToString(deterministic=True)``.
A record is: length of the data (uint64), its masked CRC32C (uint32), the data, its masked CRC32C,
all little-endian.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_BYTES, IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES

IMAGE_FEATURE: Final = "image"
LABEL_FEATURE: Final = "label"
_MASK_DELTA: Final = 0xA282EAD8
"""Added to the rotated checksum; from the description of the TFRecord format."""


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(digits) + bytes([value])


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _entry(feature: str, kind: int, content: bytes) -> bytes:
    """One entry of the map in ``Features``; ``kind`` 1 is a BytesList, 3 an Int64List."""
    value = _field(kind, _field(1, content))
    return _field(1, _field(1, feature.encode()) + _field(2, value))


def _checksum_bytes(crc: NDArray[np.uint32]) -> NDArray[np.uint8]:
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return (rotated + np.uint32(_MASK_DELTA)).astype("<u4").view(np.uint8).reshape(-1, 4)


_BEFORE_IMAGE: Final = _entry(IMAGE_FEATURE, 1, bytes(IMAGE_BYTES))[:-IMAGE_BYTES]
_AFTER_IMAGE: Final = _entry(LABEL_FEATURE, 3, b"\0")
_EXAMPLE: Final = _field(1, _BEFORE_IMAGE + bytes(IMAGE_BYTES) + _AFTER_IMAGE)

EXAMPLE_BYTES: Final = len(_EXAMPLE)
"""Bytes of one serialized example: 822."""

RECORD_BYTES: Final = 8 + 4 + EXAMPLE_BYTES + 4
"""Bytes of one record: 838."""

_LENGTH: Final = EXAMPLE_BYTES.to_bytes(8, "little")
_LENGTH_CRC: Final = _checksum_bytes(np.array([google_crc32c.value(_LENGTH)], np.uint32)).tobytes()
_TEMPLATE: Final = np.frombuffer(_LENGTH + _LENGTH_CRC + _EXAMPLE + bytes(4), np.uint8)
_DATA: Final = slice(12, 12 + EXAMPLE_BYTES)
_LABEL: Final = 12 + EXAMPLE_BYTES - 1
_IMAGE_START: Final = 12 + EXAMPLE_BYTES - len(_AFTER_IMAGE) - IMAGE_BYTES
_IMAGE: Final = slice(_IMAGE_START, _IMAGE_START + IMAGE_BYTES)


def frame_records(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Makes complete records; their bytes in order are the content of a TFRecord file.

    Args:
        images: uint8 [n, 784] or [n, 28, 28].
        labels: uint8 [n], each 0 to 9.

    Returns:
        uint8 [n, RECORD_BYTES], one record a row.

    Raises:
        ValueError: Shapes do not fit, or a label is above 9.
    """
    if len(labels) and int(labels.max()) >= NUM_CLASSES:
        raise ValueError(f"label {labels.max()}, expected 0 to {NUM_CLASSES - 1}")
    records = np.empty((len(labels), RECORD_BYTES), np.uint8)
    records[:] = _TEMPLATE
    records[:, _IMAGE] = images.reshape(len(labels), IMAGE_BYTES)
    records[:, _LABEL] = labels
    records[:, -4:] = _checksum_bytes(_crc_of_data(records))
    return records


def read_records(path: Path, batch: int = 8192) -> Iterator[tuple[NDArray[np.uint8], ...]]:
    """Reads and checks a shard written by ``frame_records``.

    Memory is bounded by the batch and by the bytes that are really there.

    Yields:
        Images, uint8 [n, 28, 28], and labels, uint8 [n].

    Raises:
        DataError: The file is truncated, a checksum is wrong, or a record has another form.
    """
    with path.open("rb") as shard:
        offset = 0
        while content := shard.read(batch * RECORD_BYTES):
            if len(content) % RECORD_BYTES:
                end = offset + len(content)
                raise DataError(f"{path} is truncated at byte {end}; run decode again")
            records = np.frombuffer(content, np.uint8).reshape(-1, RECORD_BYTES)
            _check(records, path, offset)
            offset += len(content)
            yield (
                records[:, _IMAGE].reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH),
                records[:, _LABEL].copy(),
            )


def _check(records: NDArray[np.uint8], path: Path, offset: int) -> None:
    form = np.ones(RECORD_BYTES, bool)
    form[_IMAGE] = form[_LABEL] = form[-4:] = False
    sound = (records[:, form] == _TEMPLATE[form]).all(axis=1)
    sound &= records[:, _LABEL] < NUM_CLASSES
    sound &= (records[:, -4:] == _checksum_bytes(_crc_of_data(records))).all(axis=1)
    if not sound.all():
        place = offset + int(np.argmin(sound)) * RECORD_BYTES
        raise DataError(f"{path} has a damaged record at byte {place}; run decode again")


def _crc_of_data(records: NDArray[np.uint8]) -> NDArray[np.uint32]:
    data = np.ascontiguousarray(records[:, _DATA]).view(f"V{EXAMPLE_BYTES}").ravel()
    return np.fromiter(map(google_crc32c.value, data.tolist()), np.uint32, len(data))
