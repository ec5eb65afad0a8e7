"""IDX files, gzipped or plain, read as a stream and checked as they are read.

Yann LeCun's format: a big-endian uint32 magic number 0x00000803 (images: then uint32 count, rows,
columns) or 0x00000801 (labels: then uint32 count), followed by uint8 values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES

if TYPE_CHECKING:
    # Ingest reads IDX files without numpy.
    import numpy as np
    from numpy.typing import NDArray

GZIP_MAGIC: Final = b"\x1f\x8b"
CHUNK: Final = 8192
"""Examples read at a time: 6.4 MB of images."""


class Kind(NamedTuple):
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
    """

    def __init__(self, stream: BinaryIO, name: str, kind: Kind) -> None:
        """Reads the header of a seekable file at its beginning; ``name`` is for errors.

        Raises:
            DataError: The header is truncated, has another magic number (an HTML page, labels
                for images), or other dimensions.
        """
        self._name = name
        self._kind = kind
        self._offset = 0
        is_gzip = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        self._file = gzip.GzipFile(fileobj=stream) if is_gzip else stream
        self._end = 4 * (2 + len(kind.dimensions))
        self.header = self._read(self._end)
        magic = struct.pack(">I", kind.magic)
        if len(self.header) >= 4 and self.header[:4] != magic:
            raise DataError(
                f"{name} is not the IDX file it should be: at byte 0 it has {self.header[:4]!r}, "
                f"expected the magic number 0x{kind.magic:08x}; use another source"
            )
        if len(self.header) < self._end:
            raise self._truncated()
        self.count, *dimensions = struct.unpack(f">{self._end // 4}I", self.header)[1:]
        if tuple(dimensions) != kind.dimensions:
            raise DataError(
                f"{name} has images of {'x'.join(map(str, dimensions))} (at byte 8), expected "
                f"{'x'.join(map(str, kind.dimensions))}; only such images fit this pipeline"
            )
        self._example_bytes = math.prod(kind.dimensions)
        self._end += self.count * self._example_bytes

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yields the bytes after the header, ``size`` at a time, the last block shorter."""
        while wanted := min(size, self._end - self._offset):
            content = self._read(wanted)
            if len(content) < wanted:
                raise self._truncated()
            yield content
        if self._read(1):
            raise DataError(
                f"{self._name} has trailing bytes: expected it to end at byte {self._end} of the "
                "payload, as its header says; download it again"
            )

    def chunks(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Yields the examples in order, at most ``size`` at a time.

        Yields:
            Read-only uint8: images [n, 28, 28], labels [n].

        Raises:
            DataError: Truncation, trailing bytes, a damaged gzip stream, or a label above 9.
        """
        import numpy as np

        for content in self.blocks(size * self._example_bytes):
            chunk = np.frombuffer(content, np.uint8).reshape(-1, *self._kind.dimensions)
            if self._kind is LABELS and (wrong := np.flatnonzero(chunk >= NUM_CLASSES)).size:
                raise DataError(
                    f"{self._name} has the label {chunk[wrong[0]]} at byte "
                    f"{self._offset - len(chunk) + wrong[0]} of the payload, expected 0 to "
                    f"{NUM_CLASSES - 1}; download it again"
                )
            yield chunk

    def _read(self, size: int) -> bytes:
        try:
            content = self._file.read(size)
        except EOFError as error:
            raise DataError(
                f"{self._name} is truncated: its gzip stream has no end, after byte "
                f"{self._offset} of the payload; download it again"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{self._name} is damaged gzip ({error}) after byte {self._offset} of the "
                "payload; download it again"
            ) from error
        self._offset += len(content)
        return content

    def _truncated(self) -> DataError:
        return DataError(
            f"{self._name} is truncated: it ends at byte {self._offset} of the payload, expected "
            f"{self._end} bytes; download it again"
        )


def read_all(stream: BinaryIO, name: str, kind: Kind) -> NDArray[np.uint8]:
    """Reads a whole file into memory: images, uint8 [n, 28, 28], or labels, uint8 [n]."""
    import numpy as np

    empty = np.empty((0, *kind.dimensions), np.uint8)
    return np.concatenate([empty, *Examples(stream, name, kind).chunks(CHUNK)])
