"""A photo as a picture of the data set's form, in TensorFlow.

``subject`` does in grey what FashionMNIST's makers did. Zalando's steps, as their paper lists them:
trim the edges that have the corners' colour (5 % of the largest distance in RGB), scale the longest
edge to 28, sharpen with a Gaussian operator of radius 1, extend the shortest edge to 28 with the
subject in the middle, negate, convert to grey. Theirs had a white background; here it may have any
colour, and may be lit unevenly. Frames and bars are taken off before, and small pieces far from the
subject, as a price tag, are left out. In colour the same subject is cut out of the photo as it is.
``scaled`` scales the whole photo.

The operations are TensorFlow 2.15's, so that the exported model can hold them.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tensorflow as tf

from .subject import NEAR, PICTURE, background_of, box_of_subject, inner_picture

if TYPE_CHECKING:
    from components.dataset.description import Description

LUMA: Final = (0.299, 0.587, 0.114)
LONGEST: Final = 256
"""Pixels of the longest edge; a picture that is longer is reduced."""
DARK: Final = 0.4
"""Share of the border that is black in an image of the data set; a test image has 0.46."""
FAR: Final = 4
"""A subject is looked at again, closer, if the picture is so many times as long."""
RADIUS: Final = 3
"""Pixels of the Gaussian operator to each side."""
SHARPENING: Final = 0.5
"""How much of the difference from the blurred image is added."""

Size = tuple[int, int]
"""Height and width of the data set's pictures."""


def prepare(encoded: Any, description: "Description") -> Any:
    """A PNG, JPEG, GIF or BMP string as a picture: uint8 [h, w], in colour [h, w, 3].

    ``subject``: all is 0 if nothing stands out from the background; a picture of the data set's
    size passes unchanged in colour, or if it is grey on black. ``scaled``: every picture of that
    size passes unchanged, in grey by its luma.
    """
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    size, is_grey = (description.height, description.width), description.channels == 1
    if description.preparation == "scaled":
        seen = _whole(pixels, size, is_grey=is_grey)
    elif is_grey:
        seen = tf.cond(
            _is_ready(pixels, size),
            lambda: pixels[..., 0],
            lambda: _prepared(tf.cast(pixels, tf.float32), size),
        )
    else:
        seen = tf.cond(
            _has_form(pixels, size),
            lambda: pixels,
            lambda: _surroundings(tf.cast(pixels, tf.float32), size),
        )
    # Not ensure_shape within a branch: the optimizer would apply it to the other one too.
    return tf.reshape(seen, description.shape)


def _is_ready(pixels: Any, size: Size) -> Any:
    def dark() -> Any:
        border = tf.concat([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]], axis=0)
        return tf.reduce_mean(tf.cast(border < int(NEAR), tf.float32)) > DARK

    is_grey = tf.reduce_all(pixels == pixels[..., :1])
    return tf.cond(_has_form(pixels, size) & is_grey, dark, lambda: False)


def _has_form(pixels: Any, size: Size) -> Any:
    return tf.reduce_all(tf.shape(pixels)[:2] == size)


def _whole(pixels: Any, size: Size, *, is_grey: bool = False) -> Any:
    scaled = tf.image.resize(pixels, size, antialias=True)
    return tf.cast(tf.round(tf.tensordot(scaled, LUMA, 1) if is_grey else scaled), tf.uint8)


def _prepared(pixels: Any, size: Size) -> Any:
    def stretched() -> Any:
        grey, _ = _difference(tf.transpose(pixels, [2, 0, 1]))
        return tf.cast(_stretched(grey), tf.uint8)

    return tf.cond(_has_form(pixels, size), stretched, lambda: _placed(pixels, size))


def _placed(pixels: Any, size: Size) -> Any:
    _, grey, box = _found(pixels, size)
    cut = grey[box[0] : box[1], box[2] : box[3]]
    return tf.cond(
        tf.size(cut) > 0,
        lambda: _centred(_sharpened(_stretched(_scaled(cut, size))), size),
        lambda: tf.zeros(size, tf.uint8),
    )


def _surroundings(pixels: Any, size: Size) -> Any:
    """The subject in colour: its box, widened to the data set's proportions."""
    picture, _, box = _found(pixels, size)
    background = background_of(picture)

    def around_it() -> Any:
        height, width = tf.unstack(tf.cast(box[1::2] - box[::2], tf.float32))
        unit = tf.maximum(height / size[0], width / size[1])
        ends = tf.cast(tf.round(unit * size), tf.int32)
        places = [
            (box[2 * axis] + box[2 * axis + 1] - ends[axis]) // 2 + tf.range(ends[axis])
            for axis in (0, 1)
        ]
        # Outside of the photo the background goes on as it is at the edge.
        most = tf.shape(picture)[1:]
        near = [tf.clip_by_value(at, 0, most[axis] - 1) for axis, at in enumerate(places)]
        rows, columns = (at == there for at, there in zip(places, near, strict=True))
        own, around = (
            tf.gather(tf.gather(each, near[0], axis=1), near[1], axis=2)
            for each in (picture, background)
        )
        cut = tf.where(rows[:, None] & columns, own, around)
        return _whole(tf.transpose(cut, [1, 2, 0]), size)

    return tf.cond(box[1] > box[0], around_it, lambda: tf.zeros([*size, 3], tf.uint8))


def _found(pixels: Any, size: Size) -> tuple[Any, Any, Any]:
    """What was looked at, how much it differs from the background, and the subject's box."""
    # A subject that was looked at closer is no smaller than the data set's pictures.
    most = max(LONGEST, FAR * max(size))
    small, factor = _reduced(pixels, most)
    inner, corner = inner_picture(small)
    grey, box = _look(inner)
    longest = tf.maximum(box[1] - box[0], box[3] - box[2])

    def closer() -> Any:
        # So much of the picture around a small subject, without what is outside the frame.
        edges = tf.repeat(tf.shape(inner)[1:], 2)
        ends = box + longest * tf.constant([-1, 1, -1, 1])
        top, bottom, left, right = tf.unstack(
            factor * (tf.repeat(corner, 2) + tf.clip_by_value(ends, 0, edges))
        )
        near, _ = _reduced(pixels[top:bottom, left:right], most)
        return near, *_look(near)

    is_small = (longest > 0) & (longest * FAR < most) & (factor > 1)
    found: tuple[Any, Any, Any] = tf.cond(is_small, closer, lambda: (inner, grey, box))
    return found


def _reduced(pixels: Any, most: int) -> tuple[Any, Any]:
    """Float32 [3, height, width] of at most ``most`` pixels, each the mean of a square of them."""
    shape = tf.shape(pixels)[:2]
    factor = -(-tf.reduce_max(shape) // most)
    reduced = tf.image.resize(pixels, -(-shape // factor), tf.image.ResizeMethod.AREA)
    return tf.transpose(reduced, [2, 0, 1]), factor


@tf.function(input_signature=[PICTURE], autograph=False)  # Traced once for both looks.
def _look(pixels: Any) -> tuple[Any, Any]:
    """How much each pixel differs from the background, and the subject's box."""
    grey, distance = _difference(pixels)
    return grey, box_of_subject(distance > NEAR)


def _difference(pixels: Any) -> tuple[Any, Any]:
    """The distance from the background, in grey and in RGB."""
    difference = pixels - background_of(pixels)
    distance = tf.sqrt(tf.reduce_sum(tf.square(difference), axis=0))
    grey = tf.abs(tf.tensordot(LUMA, difference, 1))
    # Red on green may be the same grey: only the distance of the colours shows it.
    return tf.where(tf.reduce_max(grey) < NEAR, distance, grey), distance


def _scaled(subject: Any, size: Size) -> Any:
    shape = tf.cast(tf.shape(subject), tf.float32)
    # The edge that is longest in the data set's proportions becomes as long as theirs.
    longest = tf.reduce_max(shape / (1.0, size[1] / size[0]))
    fits = tf.cast(tf.round(shape * size[0] / longest), tf.int32)
    scaled = tf.image.resize(subject[..., None], tf.maximum(1, fits), tf.image.ResizeMethod.AREA)
    return scaled[..., 0]


def _stretched(values: Any) -> Any:
    """From 0 to 255: nearly every image of FashionMNIST has a pixel of 254 or 255."""
    largest = tf.reduce_max(values)
    return tf.where(largest < NEAR, 0.0, tf.round(values * (255 / tf.maximum(largest, 1.0))))


def _sharpened(values: Any) -> Any:
    weights = np.exp(-0.5 * np.arange(-RADIUS, RADIUS + 1) ** 2)
    blurred = values
    for _ in range(2):
        size = tf.shape(blurred)[0]
        places = tf.clip_by_value(tf.range(-RADIUS, size + RADIUS), 0, size - 1)
        padded = tf.gather(blurred, places)
        parts = [padded[k : k + size] * w for k, w in enumerate(weights / weights.sum())]
        blurred = tf.transpose(tf.add_n(parts))
    return tf.clip_by_value(tf.round(values + SHARPENING * (values - blurred)), 0, 255)


def _centred(subject: Any, size: Size) -> Any:
    shape = tf.shape(subject)
    # As in FashionMNIST: of an odd number of empty rows or columns, one more is above or left.
    before = (size - shape + 1) // 2
    after = size - shape - before
    return tf.cast(tf.pad(subject, tf.stack([before, after], axis=1)), tf.uint8)
