"""Image files of many kinds, and their limits."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.compiler import PROJECT
from pipeline.photos import decoding
from pipeline.photos.decoding import PhotoError, check_size, decode
from tests.photo_bombs import bomb
from tests.photographs import ORIENTATION, encoded


def picture(mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, white below."""
    image = Image.new("RGB", (60, 40), "white")
    image.paste((200, 0, 0), (0, 0, 30, 20))
    image.paste((0, 0, 200), (30, 0, 60, 20))
    return image.convert(mode)


def lightness(image: Image.Image) -> list[int]:
    grey = image.convert("L")
    return [int(grey.getpixel(at)) for at in ((10, 5), (50, 5), (30, 35))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *[("RGB", kind) for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "AVIF", "PPM")],
        *[("L", kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM")],
        *[("P", kind) for kind in ("PNG", "GIF", "BMP", "TIFF")],
        *[("RGBA", kind) for kind in ("PNG", "TIFF", "WEBP")],
        *[("CMYK", kind) for kind in ("JPEG", "TIFF")],
        ("LA", "PNG"),
        ("YCbCr", "JPEG"),
    ],
)
def test_a_picture_is_read_whatever_it_is_kept_as(mode: str, kind: str) -> None:
    read = decode(encoded(picture(mode), kind))
    assert read.mode in ("RGB", "RGBA")
    assert np.allclose(lightness(read), lightness(picture()), atol=12)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_more_than_8_bits_become_8(dtype: type) -> None:
    values: Any = np.linspace(0, 60_000, 60 * 40).reshape(40, 60).astype(dtype)
    read = np.asarray(decode(encoded(Image.fromarray(values), "TIFF")))
    assert read[0, 0, 0] == 0
    assert read[-1, -1, 0] == 255
    assert abs(int(read[20, 0, 0]) - 128) < 3


def test_values_that_are_no_numbers_are_taken_as_nothing() -> None:
    values = np.full((40, 60), np.nan, np.float32)
    values[10:20] = np.inf
    values[20:] = 5.0
    read = np.asarray(decode(encoded(Image.fromarray(values), "TIFF")))
    assert read[0, 0, 0] == 0
    assert read[-1, 0, 0] == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_is_turned_as_its_exif_data_say(kind: str, orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture().transpose(undo[orientation]) if orientation in undo else picture()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    read = decode(encoded(stored, kind, exif=exif))
    assert read.size == (60, 40)
    assert np.allclose(lightness(read), lightness(picture()), atol=12)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_picture_counts(kind: str) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("white", "black", "red")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert min(lightness(decode(data))) > 250


def test_a_large_picture_is_made_smaller() -> None:
    for kind in ("PNG", "JPEG"):
        read = decode(encoded(picture().resize((3000, 2000)), kind))
        assert decoding.LONGEST <= max(read.size) < 2 * decoding.LONGEST
        assert read.width / read.height == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is no image"),
        (b"not a photo\n" * 100, "it is no image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no image"),
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + b"\0" * 99, "it is a HEIC photo, which"),
        (encoded(picture())[:100], "it is a damaged image"),
        (encoded(picture(), "JPEG")[:700], "it is a damaged image"),
    ],
)
def test_what_is_no_whole_image_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        decode(data)


def test_a_file_that_is_too_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_BYTES", 2**20)
    with pytest.raises(PhotoError, match="more than 1 MiB"):
        decode(encoded(picture(), "BMP") + b"\0" * 2**20)


def test_dimensions_have_limits() -> None:
    check_size(8192, 6144, 10_000_000)
    check_size(1024, 1024, 1)
    with pytest.raises(PhotoError, match="8193 x 6144 pixels, more than 50,331,648"):
        check_size(8193, 6144, 10_000_000)
    with pytest.raises(PhotoError, match="5000 x 5000 pixels do not fit into 1,000 bytes"):
        check_size(5000, 5000, 1000)


SIZES = {"GIF": (60_000, 60_000), "WEBP": (12_000, 12_000), "AVIF": (12_000, 12_000)}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM"])
def test_a_header_that_promises_too_much_is_refused_without_memory(
    kind: str, tmp_path: Path
) -> None:
    for number, size in enumerate(((7000, 7000), SIZES.get(kind, (60_000, 60_000)))):
        (tmp_path / str(number)).write_bytes(bomb(kind, *size))
    code = """
import resource, sys
from pathlib import Path
from typing import Any
from pipeline.photos.decoding import PhotoError, decode
from tests.photographs import encoded
from PIL import Image
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
decode(encoded(Image.new("RGB", (600, 600)), sys.argv[1]))
before = peak()
for path in sorted(Path(sys.argv[2]).iterdir()):
    try:
        decode(path.read_bytes())
    except PhotoError as error:
        print(error)
print(peak() - before)
"""
    command = [sys.executable, "-c", code, kind, str(tmp_path)]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    *reasons, megabytes = done.stdout.splitlines()
    assert len(reasons) == 2, "both are refused"
    assert all("pixels" in reason or "damaged" in reason for reason in reasons), reasons
    assert int(megabytes) < 20, reasons
