"""The payload of an IDX file as bytes: gzipped or plain, read as a stream, its header checked.

Yann LeCun's IDX format: a big-endian uint32 magic number 0x00000803 (images: then uint32 count,
rows, columns) or 0x00000801 (labels: then uint32 count), followed by uint8 values.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

from components.dataset.errors import DataError
from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH

GZIP_MAGIC: Final = b"\x1f\x8b"
BLOCK: Final = 1 << 16
"""Bytes read at a time from the underlying stream."""
MAX_OVERHEAD: Final = 1 << 18
"""Bytes by which a gzip stream may exceed its payload, plus 1 %; an honest one hardly does."""


class Readable(Protocol):
    """A binary stream; a read may return fewer bytes than asked, none only at the end."""

    def read(self, size: int, /) -> bytes:
        """Reads at most ``size`` bytes."""
        ...


@dataclass(frozen=True)
class Kind:
    """What an IDX file holds: its magic number and the dimensions of one example."""

    magic: int
    dimensions: tuple[int, ...]


IMAGES: Final = Kind(0x00000803, (IMAGE_HEIGHT, IMAGE_WIDTH))
LABELS: Final = Kind(0x00000801, ())


@dataclass(frozen=True)
class Header:
    """A checked IDX header.

    Attributes:
        encoded: Its bytes.
        count: Number of examples.
        example_bytes: Bytes of one example.
    """

    encoded: bytes
    count: int
    example_bytes: int

    @property
    def payload_bytes(self) -> int:
        """Bytes that the whole payload must have, header included."""
        return len(self.encoded) + self.count * self.example_bytes


class Payload:
    """Reads the decompressed bytes of a stream and knows at which offset it is.

    Whether the stream is gzipped is told by its first two bytes. Memory is bounded by the size
    asked for, whatever the compression.
    """

    def __init__(self, stream: Readable, name: str) -> None:
        self.name = name
        self.offset = 0
        self._stream = stream
        self._taken = 0
        self._pending = stream.read(2)
        if len(self._pending) == 1:
            self._pending += stream.read(1)
        self._inflate = zlib.decompressobj(31) if self._pending == GZIP_MAGIC else None

    def read(self, size: int) -> bytes:
        """Reads ``size`` bytes; fewer only where the payload ends.

        Raises:
            DataError: The gzip stream is damaged or ends too early.
        """
        pieces = []
        missing = size
        while missing > 0 and (piece := self._piece(missing)):
            pieces.append(piece)
            missing -= len(piece)
            self.offset += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, limit: int) -> bytes:
        """Between 1 and ``limit`` bytes; none at the end."""
        if self._inflate is not None:
            return self._inflated(self._inflate, limit)
        source = self._pending or self._stream.read(BLOCK)
        self._pending = source[limit:]
        return source[:limit]

    def _inflated(self, inflate: Any, limit: int) -> bytes:
        while True:
            if inflate.eof:
                self._pending = inflate.unused_data or self._next_block()
                if not self._pending:
                    return b""
                self._inflate = inflate = zlib.decompressobj(31)
            source = inflate.unconsumed_tail or self._pending or self._next_block()
            self._pending = b""
            try:
                piece: bytes = inflate.decompress(source, limit)
            except zlib.error as error:
                raise self.damage(f"is damaged gzip ({error})") from error
            if piece:
                return piece
            if not source and not inflate.eof:
                raise self.damage("is truncated: its gzip stream has no end")

    def _next_block(self) -> bytes:
        """Reads on in a gzip stream, unless it goes on without giving any payload."""
        block = self._stream.read(BLOCK)
        self._taken += len(block)
        if self._taken > MAX_OVERHEAD + 1.01 * self.offset:
            raise self.damage("has more gzip than payload")
        return block

    def damage(self, what: str) -> DataError:
        """The error for this payload at its present offset."""
        return DataError(f"{self.name} {what} at byte {self.offset} of the payload; get it anew")

    def truncated(self, expected: int) -> DataError:
        """The error for a payload that ends at its present offset."""
        return DataError(
            f"{self.name} is truncated: it ends at byte {self.offset} of the payload, expected "
            f"{expected} bytes; get it anew"
        )

    def check_end(self) -> None:
        """Checks that nothing follows.

        Raises:
            DataError: There are trailing bytes.
        """
        expected = self.offset
        if self.read(1):
            raise DataError(
                f"{self.name} has trailing bytes: expected it to end at byte {expected} of the "
                "payload, as its header says; get it anew"
            )


def read_header(payload: Payload, kind: Kind) -> Header:
    """Reads the header that ``payload`` begins with.

    Raises:
        DataError: It is truncated, has another magic number (an HTML page, labels for images),
            or other dimensions.
    """
    size = 4 * (2 + len(kind.dimensions))
    encoded = payload.read(size)
    if len(encoded) >= 4 and encoded[:4] != struct.pack(">I", kind.magic):
        raise DataError(
            f"{payload.name} is not the IDX file it should be: at byte 0 it has {encoded[:4]!r}, "
            f"expected the magic number 0x{kind.magic:08x}; get it from another source"
        )
    if len(encoded) < size:
        raise payload.truncated(size)
    count, *dimensions = struct.unpack(f">{size // 4}I", encoded)[1:]
    if tuple(dimensions) != kind.dimensions:
        raise DataError(
            f"{payload.name} has images of {'x'.join(map(str, dimensions))} (at byte 8), expected "
            f"{'x'.join(map(str, kind.dimensions))}; only such images fit this pipeline"
        )
    example_bytes = IMAGE_HEIGHT * IMAGE_WIDTH if kind.dimensions else 1
    return Header(encoded=encoded, count=count, example_bytes=example_bytes)
