"""An image file's bytes as upright pixels, within limits."""

import io
import logging
import warnings
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.errors import CommandError

FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")
"""Pillow's decoders that are tried. Some of the others start programs or read without a limit."""
HEIC_BRANDS: Final = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
"""What iPhones write. Not decoded: pi-heif 1.4.0 crashed the process while it was fuzzed."""
AVIF_BRANDS: Final = {b"avif", b"avis"}
"""Files of these brands may name mif1 and msf1 too."""
BRAND_BYTES: Final = 256
"""How far into a file its brands are looked for."""
MAX_BYTES: Final = 50 * 2**20
MAX_PIXELS: Final = 8192 * 6144
"""The larger size in which today's phones take a picture."""
FREE_PIXELS: Final = 1024 * 1024
"""Pixels that a file of any size may have."""
PIXELS_PER_BYTE: Final = 1032
"""What one byte of deflate, the densest of the common compressions, unpacks to."""
LONGEST: Final = 256
"""Pixels of the longest edge; a picture that is at least twice as long is reduced."""

# Pillow also logs what it raises; without a handler the log goes to standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class PhotoError(CommandError):
    """A photo that cannot be used: not an image, damaged, over the limits, or empty."""


def decode(data: bytes) -> Image.Image:
    """Decodes the first picture of an image file in one of ``FORMATS``.

    It uses at most 16 bytes of memory for each pixel. A header that promises more pixels than the
    file can hold is refused before any memory is allocated for them.

    Returns:
        RGBA if it has transparency, else RGB, turned as its EXIF orientation says; the longest
        edge has less than ``2 * LONGEST`` pixels.

    Raises:
        PhotoError: It is not an image, it is damaged, or it is over the limits.
    """
    if len(data) > MAX_BYTES:
        raise PhotoError(f"it has more than {MAX_BYTES // 2**20} MiB; save it smaller")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                check_size(*image.size, len(data))
                return _upright(image)
        except PhotoError:
            raise
        except Image.DecompressionBombError as error:
            raise PhotoError(f"it has more than {MAX_PIXELS:,} pixels; save it smaller") from error
        except Exception as error:
            # Pillow's decoders document no closed list of errors.
            raise PhotoError(f"it is {_refused(data, error)}") from error


def check_size(width: int, height: int, size: int) -> None:
    """Refuses dimensions that are over the limit, or that a file of ``size`` bytes cannot hold."""
    pixels = width * height
    if pixels > MAX_PIXELS:
        raise PhotoError(
            f"it has {width} x {height} pixels, more than {MAX_PIXELS:,}; save it smaller"
        )
    if pixels > max(FREE_PIXELS, PIXELS_PER_BYTE * size):
        raise PhotoError(
            f"it is a damaged image ({width} x {height} pixels do not fit into {size:,} bytes)"
        )


def _refused(data: bytes, error: Exception) -> str:
    """What a file is that Pillow does not decode."""
    end = min(int.from_bytes(data[:4], "big"), BRAND_BYTES)
    brands = {data[start : start + 4] for start in range(8, end, 4)}
    if data[4:8] == b"ftyp" and brands & HEIC_BRANDS and not brands & AVIF_BRANDS:
        return "a HEIC photo, which is not supported; save it as PNG or JPEG"
    if isinstance(error, UnidentifiedImageError):
        return "not an image; save it as PNG or JPEG"
    reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
    return f"a damaged image ({reason[:100]})"


def _upright(image: Image.Image) -> Image.Image:
    image.draft(None, (LONGEST, LONGEST))
    ImageOps.exif_transpose(image, in_place=True)
    factor = max(1, max(image.size) // LONGEST)
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image, factor)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    # Converting to the same mode would copy what may have 50 million pixels.
    whole = image if image.mode == mode else image.convert(mode)
    return whole.reduce(factor)


def _eight_bits(image: Image.Image, factor: int) -> Image.Image:
    """A picture of 16 or 32 bits per pixel, stretched from its darkest value to its lightest."""
    values = np.asarray(image)[::factor, ::factor].astype(np.float32)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    values -= values.min()
    values *= 255 / max(float(values.max()), 1e-30)
    return Image.fromarray(values.round().astype(np.uint8)).convert("RGB")
