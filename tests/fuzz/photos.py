"""Image files for ``predict``: sound ones of every format, damaged ones, and bombs."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image

from pipeline.photos.decoding import FORMATS
from tests.photo_bombs import bomb
from tests.photographs import ORIENTATION, TURNED, encoded

VARIANTS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    *((kind, "RGB", {}) for kind in FORMATS),
    *(("PNG", mode, {}) for mode in ("P", "RGBA", "I;16", "1")),
    ("PNG", "P", {"transparency": 0}),
    *(("JPEG", mode, {}) for mode in ("L", "CMYK")),
    ("JPEG", "RGB", {"progressive": True}),
    *(("TIFF", "RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_deflate", "jpeg")),
    ("TIFF", "F", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    *((kind, "P", {"save_all": True}) for kind in ("GIF", "PNG")),
)
"""Format, mode and options of the sound files."""
SIDES: Final = (0, 1, 1024, 7000, 8192, 12_000, 60_000)
"""Widths and heights that a bomb promises; 8192 x 6144 is the limit."""


def _sound(kind: str, mode: str, options: dict[str, Any]) -> bytes:
    image = Image.new("RGB", (40, 30), "white")
    image.paste((20, 60, 120), (10, 5, 25, 25))
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    given = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}
    more = {"append_images": [image.convert("P")]} if options.get("save_all") else {}
    grey = image.convert("L").convert("I") if mode == "I;16" else image
    return encoded(grey.convert(mode), kind, **given, **more, **options)


SOUND: Final = tuple(_sound(*variant) for variant in VARIANTS)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A sound file with some bytes changed, taken out, put in, or its end cut off."""
    data = bytearray(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data)))
        put_in = draw(st.binary(max_size=8) | st.sampled_from((b"\xff" * 4, b"\0" * 4, b"\x7f")))
        data[at : at + draw(st.sampled_from((0, len(put_in), 1, 64)))] = put_in
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@st.composite
def _headed(draw: st.DrawFn) -> bytes:
    """The beginning of a sound file, and then anything."""
    beginning = draw(st.sampled_from(SOUND))[: draw(st.integers(4, 64))]
    return beginning + draw(st.binary(max_size=512))


BOMBS: Final = st.builds(
    bomb, st.sampled_from(FORMATS), *[st.sampled_from(SIDES) | st.integers(0, 16_384)] * 2
)
PHOTOS: Final[SearchStrategy[bytes]] = st.sampled_from(SOUND) | _mutated() | _headed() | BOMBS
