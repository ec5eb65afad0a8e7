"""An image file of any kind as one that TensorFlow decodes: upright, opaque, within limits."""

import io
import logging
import warnings
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from components.dataset.errors import StepError

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
WHOLE: Final = 1024
"""Pixels of the longest edge up to which a PNG or JPEG is left as it is."""
LONGEST: Final = 512
"""Pixels of the longest edge that are enough; one that is at least twice as long is reduced."""
TURN: Final = 0x0112
"""EXIF's orientation; 1 is upright."""
NEAR: Final = 22
"""Grey levels from white within which a transparent subject is put on black."""

# Pillow also logs what it raises; without a handler the log goes to standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


DAMAGED: Final = "it is a damaged image; save it again as PNG or JPEG"
"""Said of what TensorFlow cannot decode."""


class PhotoError(StepError):
    """A photo that cannot be used: not an image, damaged, over the limits, or empty."""


def readable(data: bytes) -> bytes:
    """The first picture of an image file in one of ``FORMATS``, as a PNG or JPEG for TensorFlow.

    An upright, opaque PNG or JPEG in grey or RGB is returned as it is if its longest edge has at
    most ``WHOLE`` pixels; its pixels are not decoded here. Anything else becomes a PNG: turned as
    its EXIF orientation says, on white if it has transparency (on black if the subject is white),
    its longest edge below ``2 * LONGEST`` pixels.

    It uses at most 16 bytes of memory for each pixel. A header that promises more pixels than the
    file can hold is refused before any memory is allocated for them.

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
                if _is_plain(image):
                    return data
                file = io.BytesIO()
                _opaque(_upright(image)).save(file, "PNG", compress_level=1)
        except PhotoError:
            raise
        except Image.DecompressionBombError as error:
            raise PhotoError(f"it has more than {MAX_PIXELS:,} pixels; save it smaller") from error
        except Exception as error:
            # Pillow's decoders document no closed list of errors.
            raise PhotoError(f"it is {_refused(data, error)}") from error
    return file.getvalue()


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


def _is_plain(image: Image.Image) -> bool:
    """Whether TensorFlow decodes it to what Pillow would."""
    return (
        image.format in ("PNG", "JPEG")
        and image.mode in ("L", "RGB")
        and max(image.size) <= WHOLE
        and not image.has_transparency_data
        and image.getexif().get(TURN, 1) == 1
    )


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


def _opaque(photo: Image.Image) -> Image.Image:
    """The photo on white, as most pages are; on black if the subject is white."""
    if photo.mode == "RGB":
        return photo
    pixels = np.asarray(photo, np.float32)
    alpha = pixels[..., 3]
    grey = np.asarray(photo.convert("L"), np.float32)
    lightness = (alpha * grey).sum() / max(float(alpha.sum()), 1.0)
    under = Image.new("RGBA", photo.size, "white" if lightness < 255 - NEAR else "black")
    return Image.alpha_composite(under, photo).convert("RGB")
