"""A picture as the 28x28 pixels that FashionMNIST's makers would have made of it, in TensorFlow.

Zalando's steps, as their paper lists them: trim the edges that have the corners' colour (5 % of
the largest distance in RGB), scale the longest edge to 28, sharpen with a Gaussian operator of
radius 1, extend the shortest edge to 28 with the subject in the middle, negate, convert to grey.
Theirs had a white background; here it may have any colour, and may be lit unevenly. Frames and
bars are taken off before, and small pieces far from the subject, as a price tag, are left out.

The operations are TensorFlow 2.15's, so that the exported model can hold them.
"""

from typing import Any, Final

import numpy as np
import tensorflow as tf

from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH

from .subject import NEAR, PICTURE, background_of, box_of_subject, inner_picture

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


def prepare(encoded: Any) -> Any:
    """uint8 [28, 28] of a PNG, JPEG, GIF or BMP string; 0 is the background.

    An image of the data set's form (28x28, grey, on black) passes unchanged. All is 0 if nothing
    stands out from the background.
    """
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    seen = tf.cond(
        _is_ready(pixels),
        lambda: pixels[..., 0],
        lambda: _prepared(tf.cast(pixels, tf.float32)),
    )
    # Not ensure_shape within a branch: the optimizer would apply it to the other one too.
    return tf.reshape(seen, [IMAGE_HEIGHT, IMAGE_WIDTH])


def _is_ready(pixels: Any) -> Any:
    def dark() -> Any:
        border = tf.concat([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]], axis=0)
        return tf.reduce_mean(tf.cast(border < int(NEAR), tf.float32)) > DARK

    is_grey = tf.reduce_all(pixels == pixels[..., :1])
    return tf.cond(_has_form(pixels) & is_grey, dark, lambda: False)


def _has_form(pixels: Any) -> Any:
    return tf.reduce_all(tf.shape(pixels)[:2] == (IMAGE_HEIGHT, IMAGE_WIDTH))


def _prepared(pixels: Any) -> Any:
    def stretched() -> Any:
        grey, _ = _difference(tf.transpose(pixels, [2, 0, 1]))
        return tf.cast(_stretched(grey), tf.uint8)

    return tf.cond(_has_form(pixels), stretched, lambda: _placed(pixels))


def _placed(pixels: Any) -> Any:
    small, factor = _reduced(pixels)
    inner, corner = inner_picture(small)
    grey, box = _look(inner)
    longest = tf.maximum(box[1] - box[0], box[3] - box[2])

    def closer() -> Any:
        # So much of the picture around a small subject, without what is outside the frame.
        most = tf.repeat(tf.shape(inner)[1:], 2)
        ends = box + longest * tf.constant([-1, 1, -1, 1])
        top, bottom, left, right = tf.unstack(
            factor * (tf.repeat(corner, 2) + tf.clip_by_value(ends, 0, most))
        )
        return _look(_reduced(pixels[top:bottom, left:right])[0])

    is_small = (longest > 0) & (longest * FAR < LONGEST) & (factor > 1)
    grey, box = tf.cond(is_small, closer, lambda: (grey, box))
    cut = grey[box[0] : box[1], box[2] : box[3]]
    return tf.cond(
        tf.size(cut) > 0,
        lambda: _centred(_sharpened(_stretched(_scaled(cut)))),
        lambda: tf.zeros([IMAGE_HEIGHT, IMAGE_WIDTH], tf.uint8),
    )


def _reduced(pixels: Any) -> tuple[Any, Any]:
    """Float32 [3, height, width] of at most LONGEST pixels, each the mean of ``factor`` squared."""
    shape = tf.shape(pixels)[:2]
    factor = -(-tf.reduce_max(shape) // LONGEST)
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


def _scaled(subject: Any) -> Any:
    shape = tf.cast(tf.shape(subject), tf.float32)
    size = tf.cast(tf.round(shape * IMAGE_HEIGHT / tf.reduce_max(shape)), tf.int32)
    scaled = tf.image.resize(subject[..., None], tf.maximum(1, size), tf.image.ResizeMethod.AREA)
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


def _centred(subject: Any) -> Any:
    shape = tf.shape(subject)
    # As in FashionMNIST: of an odd number of empty rows or columns, one more is above or left.
    before = (tf.constant([IMAGE_HEIGHT, IMAGE_WIDTH]) - shape + 1) // 2
    after = tf.constant([IMAGE_HEIGHT, IMAGE_WIDTH]) - shape - before
    return tf.cast(tf.pad(subject, tf.stack([before, after], axis=1)), tf.uint8)
