"""Image files of many kinds, and their limits."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from serving import photos
from serving.photos import PhotoError, readable
from tests.photographs import SIZE_FIELDS, bomb, encoded


def picture() -> Image.Image:
    """Red on the left, blue on the right, white below."""
    image = Image.new("RGB", (60, 40), "white")
    image.paste((200, 0, 0), (0, 0, 30, 20))
    image.paste((0, 0, 200), (30, 0, 60, 20))
    return image


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(readable(data)))


def lightness(image: Image.Image) -> list[int]:
    grey = image.convert("L")
    return [int(grey.getpixel(at)) for at in ((10, 5), (50, 5), (30, 35))]  # type: ignore[arg-type]


def turned_by(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[photos.TURN] = orientation
    return exif


def brands(text: str) -> bytes:
    """The beginning of a file with these brands, its own first."""
    own, *others = text.encode().split()
    box = b"ftyp" + own + bytes(4) + b"".join(others)
    return (4 + len(box)).to_bytes(4, "big") + box + b"\0\0\0\x20meta" + bytes(99)


@pytest.mark.parametrize("kind", photos.FORMATS)
def test_a_picture_is_read_from_every_format(kind: str) -> None:
    read = decode(encoded(picture(), kind))
    assert read.mode == "RGB"
    assert np.allclose(lightness(read), lightness(picture()), atol=12)


@pytest.mark.parametrize(
    ("kind", "mode", "options", "is_kept"),
    [
        ("PNG", "L", {}, True),
        ("JPEG", "RGB", {"quality": 30}, True),
        ("JPEG", "RGB", {"exif": turned_by(1)}, True),
        ("JPEG", "RGB", {"exif": turned_by(6)}, False),
        ("JPEG", "CMYK", {}, False),
        ("PNG", "RGBA", {}, False),
        ("PNG", "RGB", {"transparency": (255, 255, 255)}, False),
        ("PNG", "P", {}, False),
        ("PNG", "I;16", {}, False),
        ("WEBP", "RGB", {}, False),
    ],
)
def test_only_what_tensorflow_would_decode_in_another_way_is_changed(
    kind: str, mode: str, options: dict[str, Any], is_kept: bool
) -> None:
    image = Image.new(mode, (40, 60)) if mode == "I;16" else picture().convert(mode)
    data = encoded(image, kind, **options)
    assert (readable(data) == data) is is_kept
    decoded = Image.open(io.BytesIO(readable(data)))
    assert decoded.mode in ("L", "RGB")
    assert decoded.size == ((40, 60) if "exif" in options and not is_kept else image.size)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_picture_is_reduced(kind: str) -> None:
    read = decode(encoded(picture().resize((3000, 2000)), kind))
    assert photos.LONGEST <= max(read.size) < 2 * photos.LONGEST
    assert read.width / read.height == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is not an image"),
        *[(brands(text), "HEIC photo, which is not supported") for text in
          ("heic mif1 heic", "mif1 mif1 heic", "msf1 msf1 hevc", "mif1")],
        *[(brands(text), "not an image|damaged image") for text in
          ("avif avif mif1 miaf", "mif1 mif1 avif", "isom mp41")],
        (encoded(picture())[:100], "it is a damaged image"),
        (encoded(picture(), "WEBP")[:100], "it is a damaged image"),
    ],
)  # fmt: skip
def test_anything_but_a_whole_image_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        decode(data)


def test_a_file_over_the_limit_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_BYTES", 2**20)
    with pytest.raises(PhotoError, match="more than 1 MiB"):
        decode(encoded(picture(), "BMP") + b"\0" * 2**20)


@pytest.mark.parametrize("kind", SIZE_FIELDS)
@pytest.mark.parametrize("side", [7000, 60_000])
def test_a_header_that_promises_too_much_is_refused_before_anything_is_decoded(
    kind: str, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "_upright", None)
    with pytest.raises(PhotoError, match="pixels"):
        decode(bomb(kind, side, side))
