"""IDX files as numpy arrays, read as a stream and checked as they are read."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES
from components.dataset.payload import IMAGES, LABELS, Kind, Payload, Readable, read_header

CHUNK: Final = 8192
"""Examples read at a time: 6.4 MB of images."""


class Examples:
    """The images or labels of one IDX file; iterate over ``chunks`` once.

    Memory is bounded by the chunk and by the bytes that are really there, never by what the
    header promises.

    Attributes:
        count: Number of examples that the header promises; ``chunks`` checks it.
        name: The file's name in errors.
    """

    def __init__(self, stream: Readable, name: str, kind: Kind) -> None:
        self.name = name
        self._payload = Payload(stream, name)
        self._header = read_header(self._payload, kind)
        self._kind = kind
        self.count = self._header.count

    def chunks(self, size: int = CHUNK) -> Iterator[NDArray[np.uint8]]:
        """Yields the examples in order, at most ``size`` at a time.

        Yields:
            Read-only uint8: images [n, 28, 28], labels [n].

        Raises:
            DataError: Truncation, trailing bytes, a damaged gzip stream, or a label above 9.
        """
        for start in range(0, self.count, size):
            wanted = min(size, self.count - start) * self._header.example_bytes
            content = self._payload.read(wanted)
            if len(content) < wanted:
                raise self._payload.truncated(self._header.payload_bytes)
            chunk = np.frombuffer(content, np.uint8).reshape(-1, *self._kind.dimensions)
            if self._kind is LABELS:
                self._check_labels(chunk)
            yield chunk
        self._payload.check_end()

    def _check_labels(self, labels: NDArray[np.uint8]) -> None:
        wrong = np.flatnonzero(labels >= NUM_CLASSES)
        if len(wrong):
            offset = self._payload.offset - len(labels) + int(wrong[0])
            raise DataError(
                f"{self.name} has the label {labels[wrong[0]]} at byte {offset} of the payload, "
                f"expected 0 to {NUM_CLASSES - 1}; get it anew"
            )


def open_images(stream: Readable, name: str = "images") -> Examples:
    """Begins to read images from a binary stream, gzipped or plain.

    Raises:
        DataError: The header is not that of 28x28 images.
    """
    return Examples(stream, name, IMAGES)


def open_labels(stream: Readable, name: str = "labels") -> Examples:
    """Begins to read labels from a binary stream, gzipped or plain.

    Raises:
        DataError: The header is not that of labels.
    """
    return Examples(stream, name, LABELS)


def read_images(stream: Readable, name: str = "images") -> NDArray[np.uint8]:
    """Reads all images into memory: uint8 [n, 28, 28].

    Raises:
        DataError: As ``open_images`` and ``Examples.chunks``.
    """
    empty = np.empty((0, IMAGE_HEIGHT, IMAGE_WIDTH), np.uint8)
    return np.concatenate([empty, *open_images(stream, name).chunks()])


def read_labels(stream: Readable, name: str = "labels") -> NDArray[np.uint8]:
    """Reads all labels into memory: uint8 [n], each 0 to 9.

    Raises:
        DataError: As ``open_labels`` and ``Examples.chunks``.
    """
    empty = np.empty(0, np.uint8)
    return np.concatenate([empty, *open_labels(stream, name).chunks(1 << 20)])
