"""IDX files, gzipped or plain, read as a stream and checked as they are read.

Yann LeCun's format: a big-endian uint32 magic number 0x00000803 (images: then uint32 count, rows,
columns) or 0x00000801 (labels: then uint32 count), followed by uint8 values.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES

if TYPE_CHECKING:
    # Ingest reads IDX files without numpy.
    import numpy as np
    from numpy.typing import NDArray

GZIP_MAGIC: Final = b"\x1f\x8b"
CHUNK: Final = 8192
"""Examples read at a time: 6.4 MB of images."""


@dataclass(frozen=True)
class Kind:
    """What an IDX file contains: its magic number and the dimensions of one example."""

    magic: int
    dimensions: tuple[int, ...]


IMAGES: Final = Kind(0x00000803, (IMAGE_HEIGHT, IMAGE_WIDTH))
LABELS: Final = Kind(0x00000801, ())


class Examples:
    """The images or labels of one IDX file; iterate once, over ``blocks`` or ``chunks``.

    Memory is bounded by the block and by the bytes that are really there, never by what the
    header promises.

    Attributes:
        count: Number of examples that the header promises; iterating checks it.
        header: The header's bytes.
        name: The file's name in errors.
    """

    def __init__(self, stream: BinaryIO, name: str, kind: Kind) -> None:
        """Reads the header.

        Args:
            stream: A seekable file at its beginning.
            name: The file's name in errors.
            kind: What it must contain.

        Raises:
            DataError: The header is truncated, has another magic number (an HTML page, labels
                for images), or other dimensions.
        """
        self.name = name
        self._kind = kind
        self._offset = 0
        is_gzip = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        self._file = gzip.GzipFile(fileobj=stream) if is_gzip else stream
        self.header, self.count = self._read_header()
        example_bytes = IMAGE_HEIGHT * IMAGE_WIDTH if kind.dimensions else 1
        self._example_bytes = example_bytes
        self._payload_bytes = len(self.header) + self.count * example_bytes

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yields the bytes after the header, ``size`` at a time, the last block shorter.

        Raises:
            DataError: Truncation, trailing bytes, or a damaged gzip stream.
        """
        while missing := self._payload_bytes - self._offset:
            content = self._read(min(size, missing))
            if not content:
                raise self._truncated(self._payload_bytes)
            yield content
        if self._read(1):
            raise DataError(
                f"{self.name} has trailing bytes: expected it to end at byte "
                f"{self._payload_bytes} of the payload, as its header says; download it again"
            )

    def chunks(self, size: int = CHUNK) -> Iterator[NDArray[np.uint8]]:
        """Yields the examples in order, at most ``size`` at a time.

        Yields:
            Read-only uint8: images [n, 28, 28], labels [n].

        Raises:
            DataError: Truncation, trailing bytes, a damaged gzip stream, or a label above 9.
        """
        import numpy as np

        for content in self.blocks(size * self._example_bytes):
            if len(content) % self._example_bytes:
                raise self._truncated(self._payload_bytes)
            chunk = np.frombuffer(content, np.uint8).reshape(-1, *self._kind.dimensions)
            if self._kind is LABELS and (wrong := np.flatnonzero(chunk >= NUM_CLASSES)).size:
                raise DataError(
                    f"{self.name} has the label {chunk[wrong[0]]} at byte "
                    f"{self._offset - len(chunk) + wrong[0]} of the payload, expected 0 to "
                    f"{NUM_CLASSES - 1}; download it again"
                )
            yield chunk

    def _read_header(self) -> tuple[bytes, int]:
        size = 4 * (2 + len(self._kind.dimensions))
        header = self._read(size)
        if len(header) >= 4 and header[:4] != struct.pack(">I", self._kind.magic):
            raise DataError(
                f"{self.name} is not the IDX file it should be: at byte 0 it has {header[:4]!r}, "
                f"expected the magic number 0x{self._kind.magic:08x}; use another source"
            )
        if len(header) < size:
            raise self._truncated(size)
        count, *dimensions = struct.unpack(f">{size // 4}I", header)[1:]
        if tuple(dimensions) != self._kind.dimensions:
            raise DataError(
                f"{self.name} has images of {'x'.join(map(str, dimensions))} (at byte 8), expected "
                f"{'x'.join(map(str, self._kind.dimensions))}; only such images fit this pipeline"
            )
        return header, count

    def _read(self, size: int) -> bytes:
        """Reads ``size`` bytes of the payload; fewer only where it ends."""
        try:
            content = self._file.read(size)
        except EOFError as error:
            raise DataError(
                f"{self.name} is truncated: its gzip stream has no end, after byte {self._offset} "
                "of the payload; download it again"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{self.name} is damaged gzip ({error}) after byte {self._offset} of the payload; "
                "download it again"
            ) from error
        self._offset += len(content)
        return content

    def _truncated(self, expected: int) -> DataError:
        return DataError(
            f"{self.name} is truncated: it ends at byte {self._offset} of the payload, expected "
            f"{expected} bytes; download it again"
        )


def read_images(stream: BinaryIO, name: str = "images") -> NDArray[np.uint8]:
    """Reads all images into memory: uint8 [n, 28, 28].

    Raises:
        DataError: As ``Examples`` and its ``chunks``.
    """
    import numpy as np

    empty = np.empty((0, IMAGE_HEIGHT, IMAGE_WIDTH), np.uint8)
    return np.concatenate([empty, *Examples(stream, name, IMAGES).chunks()])


def read_labels(stream: BinaryIO, name: str = "labels") -> NDArray[np.uint8]:
    """Reads all labels into memory: uint8 [n], each 0 to 9.

    Raises:
        DataError: As ``Examples`` and its ``chunks``.
    """
    import numpy as np

    empty = np.empty(0, np.uint8)
    return np.concatenate([empty, *Examples(stream, name, LABELS).chunks(1 << 20)])
