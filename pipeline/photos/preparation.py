"""A photo as the 28x28 pixels that FashionMNIST's makers would have made of it.

Zalando's steps, as their paper lists them: trim the edges that have the corners' colour (5 % of
the largest distance in RGB), scale the longest edge to 28, sharpen with a Gaussian operator of
radius 1, extend the shortest edge to 28 with the subject in the middle, negate, convert to grey.
Theirs had a white background; here it may have any colour, and may be lit unevenly.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH
from pipeline.photos.decoding import PhotoError, decode

Pixels = NDArray[np.float32]
Seen = NDArray[np.uint8]

SIZE: Final = (IMAGE_WIDTH, IMAGE_HEIGHT)
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
NEAR: Final = 22.0
"""Distance in RGB below which two colours are the same: 5 % of 255 times the root of 3."""
SPECK: Final = 150
"""Pixels of the longest edge for each pixel of a speck's radius."""
NOTHING: Final = "no subject found against the background"
SHARPENING: Final = ImageFilter.UnsharpMask(radius=1, percent=50, threshold=0)

BORDER: Final = 0.02
"""Width of the border in which the background is sampled, as a share of the shorter edge."""
SAMPLES: Final = 2000
CANDIDATES: Final = 50
FITS: Final = 4


def seen_by_network(data: bytes) -> Seen:
    """What the network sees of an image file's content: uint8 [28, 28].

    0 is the background, 255 what differs most from it.

    Raises:
        PhotoError: It is not an image, it is damaged or too large, or it has no subject.
    """
    return prepare(decode(data))


def prepare(photo: Image.Image) -> Seen:
    """Applies the steps above to an RGB or RGBA photo: uint8 [28, 28]."""
    pixels = np.asarray(_opaque(photo), np.float32)
    difference = pixels - background(pixels)
    distance, grey = np.linalg.norm(difference, axis=2), np.abs(difference @ LUMA)
    if grey.max() < NEAR:
        # Red on green may be the same grey: only the distance of the colours shows it.
        grey = distance
    if photo.size == SIZE:
        return _stretched(grey)
    top, bottom, left, right = _subject(distance > NEAR)
    scaled = Image.fromarray(_stretched(_scaled(grey[top:bottom, left:right])))
    return _centred(np.asarray(scaled.filter(SHARPENING)))


def background(pixels: Pixels) -> Pixels:
    """The background's colour at each pixel, as a plane in each channel, since light falls off.

    It starts from the most common colour of the border and not from the border's mean, because
    the subject may reach the border. Pixels and result are float32 [height, width, 3], 0 to 255.
    """
    height, width = pixels.shape[:2]
    thickness = max(1, round(BORDER * min(height, width)))
    border = np.ones((height, width), bool)
    border[thickness : height - thickness, thickness : width - thickness] = False
    step = max(1, border.sum() // SAMPLES)
    rows, columns = (indices[::step] for indices in np.nonzero(border))
    colours = pixels[rows, columns]
    terms = _terms(rows / height, columns / width)
    expected = np.broadcast_to(_most_common(colours), colours.shape)
    for _ in range(FITS):
        fits = np.linalg.norm(colours - expected, axis=1) < NEAR
        plane = np.linalg.lstsq(terms[fits], colours[fits], rcond=None)[0]
        expected = terms @ plane
    y, x = np.mgrid[:height, :width]
    everywhere = _terms(y.ravel() / height, x.ravel() / width) @ plane
    colour: Pixels = np.clip(everywhere, 0, 255).reshape(height, width, 3).astype(np.float32)
    return colour


def _most_common(colours: Pixels) -> Pixels:
    """The colour among ``CANDIDATES`` of them that most of all colours are near to."""
    few = colours[:: max(1, len(colours) // CANDIDATES)]
    distances = np.linalg.norm(few[:, np.newaxis] - colours[np.newaxis], axis=2)
    chosen: Pixels = few[(distances < NEAR).sum(axis=1).argmax()]
    return chosen


def _terms(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(y), y - 0.5, x - 0.5], axis=1)


def _opaque(photo: Image.Image) -> Image.Image:
    """The photo on white, as Zalando's are; on black if the subject is white."""
    if photo.mode == "RGB":
        return photo
    pixels = np.asarray(photo, np.float32)
    alpha = pixels[..., 3]
    lightness = (alpha * (pixels[..., :3] @ LUMA)).sum() / max(float(alpha.sum()), 1.0)
    under = Image.new("RGBA", photo.size, "white" if lightness < 255 - NEAR else "black")
    return Image.alpha_composite(under, photo).convert("RGB")


def _subject(differs: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what differs from the background, without specks."""
    radius = max(differs.shape) // SPECK
    mask = Image.fromarray(np.pad(differs, radius).astype(np.uint8) * 255)
    box = mask.filter(ImageFilter.MedianFilter(2 * radius + 1)).getbbox()
    if box is None:
        raise PhotoError(NOTHING)
    left, top, right, bottom = (edge - radius for edge in box)
    return top, bottom, left, right


def _scaled(subject: Pixels) -> Pixels:
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


def _centred(subject: Seen) -> Seen:
    height, width = subject.shape
    canvas = np.zeros((IMAGE_HEIGHT, IMAGE_WIDTH), np.uint8)
    # As in FashionMNIST: of an odd number of empty rows or columns, one more is above or left.
    top, left = (IMAGE_HEIGHT - height + 1) // 2, (IMAGE_WIDTH - width + 1) // 2
    canvas[top : top + height, left : left + width] = subject
    return canvas
