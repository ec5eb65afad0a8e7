"""IDX files, gzipped or plain, read as a stream and checked as they are read.

Yann LeCun's format: two zero bytes, the type of the values, the number of dimensions; each
dimension as a big-endian uint32, the first one the number of examples; then the values, big-endian.
Images are uint8 [n, height, width] or [n, height, width, channels], labels integers of 8, 16 or 32
bits [n], or [n, columns], of which the first column counts.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from array import array
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from components.dataset.description import CHANNELS, NAME, SIDES, Description
from components.dataset.errors import DataError

if TYPE_CHECKING:
    # Ingest reads IDX files without numpy.
    import numpy as np
    from numpy.typing import NDArray

GZIP_MAGIC: Final = b"\x1f\x8b"
CHUNK: Final = 8192
CHUNK_BYTES: Final = CHUNK * 28 * 28
"""At most so many examples, of so many bytes, are read at a time."""
MOST_LABEL_BYTES: Final = 256
"""Of one example; those of QMNIST have 32."""


class Kind(NamedTuple):
    """What an IDX file contains.

    Attributes:
        name: What its examples are.
        types: Bytes of a value by the format's code of its type.
        dimensions: How many there may be.
    """

    name: str
    types: Mapping[int, int]
    dimensions: tuple[int, ...]

    def fits(self, magic: bytes) -> bool:
        """Whether a file that begins with these four bytes is of this kind."""
        return magic[:2] == b"\0\0" and magic[2] in self.types and magic[3] in self.dimensions


IMAGES: Final = Kind("images", {0x08: 1}, (3, 4))
LABELS: Final = Kind("labels", {0x08: 1, 0x0B: 2, 0x0C: 4}, (1, 2))
EXPECTED: Final = {
    IMAGES.name: "uint8 images [n, height, width] or [n, height, width, channels] (0x00000803)",
    LABELS.name: "labels of 8, 16 or 32 bits [n] (0x00000801)",
}


OTHERS: Final = {
    b"BZh": "packed with bzip2; unpack it",
    b"\xfd7zX": "packed with xz; unpack it",
    b"PK": "a zip archive; unpack it",
    GZIP_MAGIC: "gzipped twice; unpack it once",
    b"vers": "a pointer of Git LFS; `git lfs pull` gets the file",
    b"<": "a page of HTML; use another source",
}
"""What people have in place of an IDX file, by its first bytes."""


class Examples:
    """The images or labels of one IDX file; iterate once, over ``blocks`` or ``chunks``.

    Memory is bounded by the block and by the bytes that are really there, never by what the
    header promises.

    Attributes:
        count: Number of examples that the header promises; iterating checks it.
        shape: Of one example, as the file holds it.
        header: The header's bytes.
        example_bytes: Bytes of one example.
    """

    def __init__(
        self, stream: BinaryIO, name: str, kind: Kind, description: Description | None = None
    ) -> None:
        """Reads the header of a seekable file at its beginning; ``name`` is for errors.

        Raises:
            DataError: The header is truncated, of another kind (an HTML page, labels for images),
                or has images of another form than ``description``.
        """
        self._name = name
        self._kind = kind
        self._description = description
        self._offset = 0
        self._end = 4
        is_gzip = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        self._file = gzip.GzipFile(fileobj=stream) if is_gzip else stream
        magic = self._read(4)
        if len(magic) == 4 and not kind.fits(magic):
            raise DataError(f"{name} is not the IDX file it should be: {_found(magic, kind)}")
        self._end += 4 * magic[3] if len(magic) == 4 else 4
        self.header = magic + self._read(self._end - 4)
        if len(self.header) < self._end:
            raise self._truncated()
        self.count, *shape = struct.unpack(f">{magic[3]}I", self.header[4:])
        self.shape = tuple(shape)
        self._type = magic[2]
        self.example_bytes = math.prod(self.shape) * kind.types[self._type]
        self._check_form()
        self._end += self.count * self.example_bytes

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

    def chunks(self, size: int = 0) -> Iterator[NDArray[np.uint8]]:
        """Yields the examples in order, ``size`` at a time; 0: as many as fit.

        Yields:
            uint8, may be read-only: images in the description's shape, upright, or labels [n],
            the first class as 0.

        Raises:
            DataError: Truncation, trailing bytes, a damaged gzip stream, or a label that the
                description does not have.
        """
        size = size or min(CHUNK, max(1, CHUNK_BYTES // self.example_bytes))
        start = 0
        for content in self.blocks(size * self.example_bytes):
            chunk = self._images(content) if self._kind is IMAGES else self._labels(content, start)
            start += len(chunk)
            yield chunk

    def values(self, block: bytes) -> list[int]:
        """The labels in a block of whole examples, without numpy."""
        numbers = array({1: "B", 2: "h", 4: "i"}[self._kind.types[self._type]], block)
        numbers.byteswap()
        return numbers[:: math.prod(self.shape)].tolist()

    def _images(self, content: bytes) -> NDArray[np.uint8]:
        import numpy as np

        about = self._description
        pixels = np.frombuffer(content, np.uint8)
        if about is None:
            return pixels.reshape(-1, *self.shape)
        if about.transposed:
            pixels = pixels.reshape(-1, about.width, about.height, about.channels).swapaxes(1, 2)
        return pixels.reshape(-1, *about.shape)

    def _labels(self, content: bytes, start: int) -> NDArray[np.uint8]:
        import numpy as np

        kind = f">i{self._kind.types[self._type]}" if self._type != 0x08 else "u1"
        labels = np.frombuffer(content, kind).reshape(-1, math.prod(self.shape))[:, 0]
        if self._description is None:
            return labels
        low, high = self._description.labels
        wrong = np.flatnonzero((labels < low) | (labels > high))
        if wrong.size:
            place = len(self.header) + (start + int(wrong[0])) * self.example_bytes
            raise DataError(
                f"{self._name} has the label {labels[wrong[0]]} at byte {place} of the payload, "
                f"expected {low} to {high}; correct the classes in its dataset.json, or download "
                "it again"
            )
        return (labels - low).astype(np.uint8)

    def _check_form(self) -> None:
        about, found = self._description, _times(self.shape)
        if self._kind is LABELS:
            if not 1 <= self.example_bytes <= MOST_LABEL_BYTES:
                raise DataError(f"{self._name} has {found} labels an example; use another source")
            return
        height, width, channels = (*self.shape, 1)[:3]
        least, most = SIDES
        if min(height, width) < least or max(height, width) > most or channels not in CHANNELS:
            raise DataError(
                f"{self._name} has images of {found} (at byte 8), expected {least} to {most} "
                "pixels each way and 1 or 3 channels"
            )
        if about and about.transposed:
            height, width = width, height
        if about and (height, width, channels) != (about.height, about.width, about.channels):
            raise DataError(
                f"{self._name} has images of {found} (at byte 8), expected {about.form} as in "
                f"{about.name}; correct height, width and channels in the {NAME} of these data"
            )

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


def read_all(
    stream: BinaryIO, name: str, kind: Kind, description: Description
) -> NDArray[np.uint8]:
    """Reads a whole file into memory: images in the description's shape, or labels [n]."""
    import numpy as np

    empty = np.empty((0, *(description.shape if kind is IMAGES else ())), np.uint8)
    return np.concatenate([empty, *Examples(stream, name, kind, description).chunks()])


def _found(magic: bytes, wanted: Kind) -> str:
    if wanted is IMAGES and magic == b"\0\0\x08\x02":
        return "each image is one row of values; give them as [n, height, width]"
    for kind in (IMAGES, LABELS):
        if kind is not wanted and kind.fits(magic):
            return f"it holds {kind.name}, expected {wanted.name}; swap the files"
    for start, what in OTHERS.items():
        if magic.startswith(start):
            return f"it is {what}"
    return f"at byte 0 it has {magic!r}, expected {EXPECTED[wanted.name]}; use another source"


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
