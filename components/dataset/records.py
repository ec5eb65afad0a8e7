"""Records: ``tf.train.Example`` wire bytes in TFRecord framing, without TensorFlow.

Every example of a data set has the same size, so a batch of records is one template row per
example with the image, the label and the checksum filled in. The bytes equal what TensorFlow's
``TFRecordWriter`` writes of ``SerializeToString(deterministic=True)``. With more than 128 classes
every label takes two bytes, which protobuf reads although it would write the first 128 in one.
A record is: length of the data (uint64), its masked CRC32C (uint32), the data, its masked CRC32C,
all little-endian.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.manifest import read_manifest

IMAGE_FEATURE: Final = "image"
LABEL_FEATURE: Final = "label"
BATCH_BYTES: Final = 8192 * 838
"""About so many bytes of records are read at a time."""
ONE_BYTE: Final = 128
"""Labels that take one byte."""
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


class Form:
    """The form of a data set's records.

    Attributes:
        example_bytes: Bytes of one serialized example: 822 for FashionMNIST.
        record_bytes: Bytes of one record: 838 for FashionMNIST.
        template: A record of zeros without a checksum: uint8 [record_bytes].
        image: Where the image is in a record.
        label: Where the label is in a record.
    """

    def __init__(self, image_bytes: int, label_bytes: int) -> None:
        before = _entry(IMAGE_FEATURE, 1, bytes(image_bytes))[:-image_bytes]
        after = _entry(LABEL_FEATURE, 3, bytes(label_bytes))
        example = _field(1, before + bytes(image_bytes) + after)
        self.example_bytes = len(example)
        self.record_bytes = 8 + 4 + self.example_bytes + 4
        length = self.example_bytes.to_bytes(8, "little")
        crc = _checksum_bytes(np.array([google_crc32c.value(length)], np.uint32)).tobytes()
        self.template = np.frombuffer(length + crc + example + bytes(4), np.uint8)
        end = 12 + self.example_bytes
        self.label = slice(end - label_bytes, end)
        start = end - len(after) - image_bytes
        self.image = slice(start, start + image_bytes)

    def checksums(self, records: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The checksum of each record's data: uint8 [n, 4]."""
        data = np.ascontiguousarray(records[:, 12:-4]).view(f"V{self.example_bytes}").ravel()
        values = np.fromiter(map(google_crc32c.value, data.tolist()), np.uint32, len(data))
        return _checksum_bytes(values)


@functools.cache
def _form(image_bytes: int, label_bytes: int) -> Form:
    return Form(image_bytes, label_bytes)


def form_of(description: Description) -> Form:
    """The form of the records of a data set."""
    return _form(description.image_bytes, 1 if len(description.classes) <= ONE_BYTE else 2)


def frame_records(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], description: Description
) -> NDArray[np.uint8]:
    """Makes complete records; their bytes in order are the content of a TFRecord file.

    Args:
        images: uint8 [n, …], each of the description's size.
        labels: uint8 [n], each below the number of classes.
        description: What the data are.

    Returns:
        uint8 [n, record_bytes], one record a row.

    Raises:
        ValueError: Shapes do not fit, or a label is too high.
    """
    classes = len(description.classes)
    if len(labels) and int(labels.max()) >= classes:
        raise ValueError(f"label {labels.max()}, expected 0 to {classes - 1}")
    form = form_of(description)
    records = np.empty((len(labels), form.record_bytes), np.uint8)
    records[:] = form.template
    records[:, form.image] = images.reshape(len(labels), description.image_bytes)
    records[:, form.label] = _label_bytes(labels, form)
    records[:, -4:] = form.checksums(records)
    return records


def read_records(
    path: Path, description: Description, batch: int = 0
) -> Iterator[tuple[NDArray[np.uint8], ...]]:
    """Reads and checks a shard written by ``frame_records``, ``batch`` records at a time.

    With 0 it is about ``BATCH_BYTES``. Memory is bounded by the batch and by the bytes that are
    really there.

    Yields:
        Images, uint8 [n, …] in the description's shape, and labels, uint8 [n].

    Raises:
        DataError: The file is truncated, a checksum is wrong, or a record has another form.
    """
    form = form_of(description)
    size = form.record_bytes
    batch = batch or max(1, BATCH_BYTES // size)
    with path.open("rb") as shard:
        offset = 0
        while content := shard.read(batch * size):
            if len(content) % size:
                end = offset + len(content)
                raise DataError(f"{path} is truncated at byte {end}; run decode again")
            records = np.frombuffer(content, np.uint8).reshape(-1, size)
            labels = _labels(records, form)
            sound = _sound(records, form) & (labels < len(description.classes))
            if not sound.all():
                place = offset + int(np.argmin(sound)) * size
                raise DataError(f"{path} has a damaged record at byte {place}; run decode again")
            offset += len(content)
            yield records[:, form.image].reshape(-1, *description.shape), labels.astype(np.uint8)


def shards_of(directory: Path) -> list[Path]:
    """The record files that the manifest of a directory lists, in the order of their names.

    Raises:
        DataError: The manifest is missing, or does not match the files.
    """
    names = sorted(entry["name"] for entry in read_manifest(directory)["files"])
    return [directory / name for name in names if name.endswith(".tfrecord")]


def read_split(directory: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Description]:
    """All examples of a split in memory, and what they are.

    Returns:
        Images, uint8 [n, …] in the description's shape, labels, uint8 [n], and the description.

    Raises:
        DataError: The directory is unfinished or damaged.
    """
    about = Description.read(directory)
    empty = np.empty((0, *about.shape), np.uint8), np.empty(0, np.uint8)
    batches = [batch for path in shards_of(directory) for batch in read_records(path, about)]
    images, labels = (np.concatenate(parts) for parts in zip(empty, *batches, strict=True))
    return images, labels, about


def _label_bytes(labels: NDArray[np.uint8], form: Form) -> NDArray[np.uint8]:
    """The labels as varints of one length."""
    if form.label.stop - form.label.start == 1:
        return labels[:, None]
    return np.stack([labels | 0x80, labels >> 7], axis=1)


def _labels(records: NDArray[np.uint8], form: Form) -> NDArray[np.uint16]:
    columns = records[:, form.label].astype(np.uint16)
    low = columns[:, 0]
    return low if columns.shape[1] == 1 else (low & 0x7F) + (columns[:, 1] << 7)


def _sound(records: NDArray[np.uint8], form: Form) -> NDArray[np.bool_]:
    fixed = np.ones(form.record_bytes, bool)
    fixed[form.image] = fixed[form.label] = fixed[-4:] = False
    sound: NDArray[np.bool_] = (records[:, fixed] == form.template[fixed]).all(axis=1)
    if form.label.stop - form.label.start == 2:
        sound &= records[:, form.label.start] >= 0x80
    sound &= (records[:, -4:] == form.checksums(records)).all(axis=1)
    return sound
