"""Any bytes at all: a picture for the network, or the one error, and nothing else."""

from typing import Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.photos.decoding import PhotoError
from pipeline.photos.preparation import seen_by_network
from tests.photographs import encoded

KINDS: Final = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")


def sound(kind: str) -> bytes:
    image = Image.new("RGB", (40, 30), "white")
    image.paste((20, 60, 120), (10, 5, 25, 25))
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}))


SOUND: Final = {kind: sound(kind) for kind in KINDS}


def look(data: bytes) -> None:
    try:
        seen = seen_by_network(data)
    except PhotoError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert seen.shape == (28, 28)
        assert seen.dtype == np.uint8


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sound file with some bytes changed, taken out, put in, or its end cut off."""
    data = bytearray(SOUND[draw(st.sampled_from(KINDS))])
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data)))
        put_in = draw(st.binary(max_size=8) | st.sampled_from((b"\xff" * 4, b"\0" * 4, b"\x7f")))
        data[at : at + draw(st.sampled_from((0, len(put_in), 1, 64)))] = put_in
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@st.composite
def headed(draw: st.DrawFn) -> bytes:
    """The beginning of a sound file, and then anything."""
    return SOUND[draw(st.sampled_from(KINDS))][: draw(st.integers(4, 64))] + draw(
        st.binary(max_size=512)
    )


def test_the_sound_files_are_sound() -> None:
    for data in SOUND.values():
        assert seen_by_network(data).max() > 200


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=4096) | headed())
def test_arbitrary_bytes_raise_nothing_but_the_documented_error(data: bytes) -> None:
    look(data)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(mutated())
def test_damaged_images_raise_nothing_but_the_documented_error(data: bytes) -> None:
    look(data)
