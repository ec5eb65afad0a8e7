"""Image files whose headers promise more pixels than they have."""

import struct
import zlib

from PIL import Image

from tests.photographs import ORIENTATION, encoded


def bomb(kind: str, width: int, height: int) -> bytes:
    """A file whose header promises so many pixels, and which has next to none."""
    if kind == "PNG":
        return _png_bomb(width, height)
    if kind == "TIFF":
        return _tiff_bomb(width, height)
    if kind == "PPM":
        return b"P6 %d %d 255\n" % (width, height) + b"\0" * 100
    exif = Image.Exif()
    exif[ORIENTATION] = 1
    data = bytearray(encoded(Image.new("RGB", (16, 16)), kind, exif=exif))
    marks = {"BMP": b"BM", "GIF": b"GIF89a", "JPEG": b"\xff\xc0", "WEBP": b"VP8X", "AVIF": b"ispe"}
    formats = {"BMP": (18, "<ii"), "GIF": (6, "<HH"), "JPEG": (5, ">HH"), "AVIF": (8, ">II")}
    start = data.find(marks[kind])
    if kind == "WEBP":
        sides = (max(side - 1, 0).to_bytes(3, "little") for side in (width, height))
        data[start + 12 : start + 18] = b"".join(sides)
        return bytes(data)
    at, layout = formats[kind]
    order = (height, width) if kind == "JPEG" else (width, height)
    data[max(start, 0) + at : max(start, 0) + at + struct.calcsize(layout)] = struct.pack(
        layout, *order
    )
    return bytes(data)


def _png_bomb(width: int, height: int) -> bytes:
    fields = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", fields), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def _tiff_bomb(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (16, 16)), "TIFF"))
    for tag, value in ((256, width), (257, height)):
        at = data.index(struct.pack("<H", tag), 8)
        data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    return bytes(data)
