"""Photographs as people take them, made from images of FashionMNIST."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
Photograph = Callable[[Pixels], bytes]

TIMES: Final = 12
WHITE: Final = (250, 250, 250)
BLACK: Final = (12, 12, 12)
GREY: Final = (225, 220, 215)
TURNED: Final = 6
"""EXIF orientation of a phone that was held upright."""
ORIENTATION: Final = 0x0112
SIZE_FIELDS: Final = {"BMP": (18, "<ii"), "GIF": (6, "<HH"), "PNG": (16, ">II")}
"""Where the header has width and height, and how they are packed."""


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb(kind: str, width: int, height: int) -> bytes:
    """A file of a few hundred bytes whose header promises ``width`` x ``height`` pixels."""
    data = bytearray(encoded(Image.new("RGB", (16, 16)), kind))
    start, layout = SIZE_FIELDS[kind]
    struct.pack_into(layout, data, start, width, height)
    if kind == "PNG":
        struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    return bytes(data)


def enlarged(image: Pixels) -> Image.Image:
    """The image, some hundred pixels large, with smooth edges."""
    size = (image.shape[1] * TIMES, image.shape[0] * TIMES)
    return Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)


def coloured(image: Pixels, background: Colour, subject: Colour) -> Image.Image:
    """The enlarged image in RGB, from the background's colour to the subject's."""
    share = np.asarray(enlarged(image), np.float32)[..., np.newaxis] / 255
    mixed = np.array(background) * (1 - share) + np.array(subject) * share
    return Image.fromarray(mixed.round().astype(np.uint8))


def jpeg(image: Pixels, background: Colour, subject: Colour) -> bytes:
    return encoded(coloured(image, background, subject), "JPEG", quality=85)


def placed(image: Image.Image, background: Colour) -> Image.Image:
    """The image away from the middle of a larger one."""
    canvas = Image.new("RGB", (image.width + 500, image.height + 400), background)
    canvas.paste(image, (60, 320))
    return canvas


def in_bad_light(image: Image.Image, seed: int = 0) -> Image.Image:
    """The image with light that falls off to one side, and with noise."""
    pixels = np.asarray(image, np.float32)
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    light = (1 - 0.25 * x / width - 0.1 * y / height)[..., np.newaxis]
    noise = np.random.default_rng(seed).normal(0, 6, pixels.shape)
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))


def turned(image: Pixels) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    sideways = coloured(image, WHITE, BLACK).transpose(Image.Transpose.ROTATE_90)
    return encoded(sideways, "JPEG", exif=exif)


def cut_out(image: Pixels, shade: int) -> bytes:
    """The image in one shade of grey, more transparent where it is nearer to its background."""
    alpha = enlarged(image)
    grey = Image.new("L", alpha.size, shade)
    return encoded(Image.merge("RGBA", (grey, grey, grey, alpha)))


def off_centre(image: Pixels, background: Colour, subject: Colour) -> bytes:
    return encoded(placed(coloured(image, background, subject), background), "JPEG", quality=85)


def on_texture(image: Pixels) -> bytes:
    """On something of low contrast that is not plain, as a tablecloth."""
    light = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)
    texture = np.asarray(Image.fromarray(light).filter(ImageFilter.GaussianBlur(4)), np.float32)
    texture = 4 * (texture - texture.mean()) / texture.std()
    cloth = np.clip(texture[..., np.newaxis] + (200, 190, 170), 0, 255).round().astype(np.uint8)
    page, mask = Image.fromarray(cloth), enlarged(image)
    corner = ((SIDE - mask.width) // 2, (SIDE - mask.height) // 2)
    page.paste((30, 30, 60), corner, mask)
    return encoded(page, "JPEG")


def on_page(image: Pixels, background: Colour, size: tuple[int, int] = (500, 500)) -> Image.Image:
    """The image in the middle of a page, dark on light or light on dark."""
    page = Image.new("RGB", size, background)
    subject = (30, 30, 60) if sum(background) > 380 else (240, 230, 220)
    photo = coloured(image, background, subject)
    page.paste(photo, ((size[0] - photo.width) // 2, (size[1] - photo.height) // 2))
    return page


def with_bars(photo: Image.Image, colour: Colour, across: int, up: int) -> bytes:
    """The photo between bars, so many pixels wide to each side."""
    larger = Image.new("RGB", (photo.width + 2 * across, photo.height + 2 * up), colour)
    larger.paste(photo, (across, up))
    return encoded(larger, "JPEG")


def tagged(image: Pixels) -> bytes:
    """With a price tag in a corner."""
    photo = on_page(image, WHITE)
    photo.paste((200, 30, 30), (430, 20, 485, 50))
    return encoded(photo, "JPEG")


SIDE: Final = 500
BACKGROUNDS: Final[dict[str, Photograph]] = {
    "white": lambda image: encoded(on_page(image, WHITE), "JPEG"),
    "black": lambda image: encoded(on_page(image, (5, 5, 5))),
    "coloured": lambda image: encoded(on_page(image, (120, 160, 190)), "JPEG"),
    "texture of low contrast": on_texture,
    "no margin": lambda image: encoded(on_page(image, WHITE, (336, 336)), "JPEG"),
    "wide margin": lambda image: encoded(on_page(image, WHITE, (1000, 1000)), "JPEG"),
    "9:16": lambda image: encoded(on_page(image, WHITE, (576, 1024)), "JPEG"),
    "black, 3:4": lambda image: encoded(on_page(image, (0, 0, 0), (420, 560))),
    "letterboxed": lambda image: with_bars(on_page(image, WHITE), (0, 0, 0), 0, 150),
    "framed": lambda image: with_bars(on_page(image, WHITE), (90, 60, 30), 30, 30),
    "JPEG of quality 30": lambda image: encoded(on_page(image, WHITE), "JPEG", quality=30),
    "price tag in a corner": tagged,
}
"""Product photos as shops and people have them."""
PHOTOGRAPHS: Final[dict[str, Photograph]] = {
    "as it is": lambda image: encoded(Image.fromarray(image)),
    "negated": lambda image: encoded(Image.fromarray(255 - image)),
    "large on black": lambda image: encoded(enlarged(image)),
    "large on white": lambda image: encoded(enlarged(255 - image)),
    "coloured on cream": lambda image: jpeg(image, (240, 225, 200), (120, 20, 40)),
    "coloured on mid blue": lambda image: jpeg(image, (120, 160, 190), (30, 30, 80)),
    "coloured on dark": lambda image: jpeg(image, (40, 30, 60), (250, 230, 120)),
    "off-centre": lambda image: off_centre(image, WHITE, BLACK),
    "off-centre on black": lambda image: off_centre(image, BLACK, WHITE),
    "noise and uneven light": lambda image: encoded(
        in_bad_light(placed(coloured(image, GREY, (20, 20, 60)), GREY)), "JPEG", quality=85
    ),
    "turned by EXIF": turned,
    "transparent, dark": lambda image: cut_out(image, 20),
    "transparent, white": lambda image: cut_out(image, 255),
    "palette, GIF": lambda image: encoded(enlarged(255 - image).convert("P"), "GIF"),
    "16 bits": lambda image: encoded(
        Image.fromarray(np.asarray(enlarged(image)).astype(np.uint16) * 257)
    ),
    "CMYK, JPEG": lambda image: encoded(coloured(image, WHITE, BLACK).convert("CMYK"), "JPEG"),
    "WebP": lambda image: encoded(coloured(image, WHITE, (90, 20, 20)), "WEBP"),
}
"""What people may have instead of an image of FashionMNIST."""
