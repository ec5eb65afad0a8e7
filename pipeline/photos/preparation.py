"""A photo as the 28x28 pixels that FashionMNIST would have made of it.

Zalando's steps, as their paper lists them: trim the edges that have the corners' colour (5 % of
the largest distance in RGB), scale the longest edge to 28, sharpen with a Gaussian operator of
radius 1, extend the shortest edge to 28 with the subject in the middle, negate, make it grey.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH
from pipeline.photos.decoding import PhotoError, decode
from pipeline.photos.ground import NEAR, Pixels, ground

Seen = NDArray[np.uint8]

SIZE: Final = (IMAGE_WIDTH, IMAGE_HEIGHT)
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
SPECK: Final = 150
"""Pixels of the longest edge for each pixel of radius that is taken for a speck."""
NOTHING: Final = "nothing on it stands out from its ground"
SHARPENING: Final = ImageFilter.UnsharpMask(radius=1, percent=50, threshold=0)


def seen_by_network(data: bytes) -> Seen:
    """What the network is shown of an image file.

    Args:
        data: The content of the file.

    Returns:
        uint8 [28, 28]: 0 is the ground, 255 what is furthest from it.

    Raises:
        PhotoError: It is no image, it is damaged or too large, or nothing stands out on it.
    """
    return prepare(decode(data))


def prepare(photo: Image.Image) -> Seen:
    """The steps above, for a photo with whatever ground: uint8 [28, 28].

    Args:
        photo: RGB or RGBA.

    Raises:
        PhotoError: Nothing stands out from its ground.
    """
    pixels = np.asarray(_opaque(photo), np.float32)
    under = ground(pixels)
    apart, grey = np.linalg.norm(pixels - under, axis=2), np.abs((pixels - under) @ LUMA)
    if grey.max() < NEAR:
        # Red on green may be one grey, and only the colours tell them apart.
        grey = apart
    if photo.size == SIZE:
        return _stretched(grey)
    top, bottom, left, right = _subject(apart > NEAR)
    return _centred(_sharpened(_stretched(_scaled(grey[top:bottom, left:right]))))


def _opaque(photo: Image.Image) -> Image.Image:
    """The photo on white, as Zalando's are; on black where it is white itself."""
    if photo.mode == "RGB":
        return photo
    pixels = np.asarray(photo, np.float32)
    alpha = pixels[..., 3]
    lightness = (alpha * (pixels[..., :3] @ LUMA)).sum() / max(float(alpha.sum()), 1.0)
    under = Image.new("RGBA", photo.size, "white" if lightness < 255 - NEAR else "black")
    return Image.alpha_composite(under, photo).convert("RGB")


def _subject(differs: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what differs from the ground, specks left out.

    Raises:
        PhotoError: Nothing does.
    """
    radius = max(differs.shape) // SPECK
    mask = Image.fromarray(np.pad(differs, radius).astype(np.uint8) * 255)
    box = mask.filter(ImageFilter.MedianFilter(2 * radius + 1)).getbbox()
    if box is None:
        raise PhotoError(NOTHING)
    left, top, right, bottom = (edge - radius for edge in box)
    return top, bottom, left, right


def _scaled(subject: Pixels) -> Pixels:
    """Its longest edge as long as that of the network's images."""
    height, width = subject.shape
    scale = max(SIZE) / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(subject).resize(size, Image.Resampling.BOX))


def _stretched(values: Pixels) -> Seen:
    """From 0 to 255: nearly every image of FashionMNIST has a pixel of 254 or 255."""
    largest = float(values.max())
    if largest < 1:
        raise PhotoError(NOTHING)
    return (values * (255 / largest)).round().astype(np.uint8)


def _sharpened(subject: Seen) -> Seen:
    return np.asarray(Image.fromarray(subject).filter(SHARPENING))


def _centred(subject: Seen) -> Seen:
    height, width = subject.shape
    canvas = np.zeros((IMAGE_HEIGHT, IMAGE_WIDTH), np.uint8)
    # As in FashionMNIST: of an odd number of pixels, one more is above and on the left.
    top, left = (IMAGE_HEIGHT - height + 1) // 2, (IMAGE_WIDTH - width + 1) // 2
    canvas[top : top + height, left : left + width] = subject
    return canvas
