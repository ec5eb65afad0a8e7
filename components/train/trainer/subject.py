"""Where the subject of a picture is: without frame, on what background, in which box."""

from typing import Any, Final

import tensorflow as tf

PICTURE: Final = tf.TensorSpec([3, None, None], tf.float32)
NEAR: Final = 22.0
"""Distance in RGB below which two colours are the same: 5 % of 255 times the root of 3."""
STRAIGHT: Final = 0.95
"""Share of a row that has one colour, or has another one, where a bar begins or ends."""
LEAST: Final = 0.03
"""Share of a picture in a frame that has another colour than its corner."""
BORDER: Final = 0.02
"""Width of the border in which the background is sampled, as a share of the shorter edge."""
SAMPLES: Final = 2000
CANDIDATES: Final = 50
FITS: Final = 4
RIDGE: Final = 1e-3
"""Keeps the fit of the background solvable where all samples are in one line."""
SPECK: Final = 150
"""Pixels of the longest edge from which on a single pixel is a speck."""
CELLS: Final = 32
"""Cells of the longest edge of the grid in which the pieces of a subject are separated."""
SMALL: Final = 0.1
"""Share of the largest piece below which a piece far from it is left out."""


def inner_picture(pixels: Any) -> tuple[Any, Any]:
    """What is inside frames and bars of the corner's colour, whose inner edges are straight lines.

    There may be two, as a framed picture between bars. Pixels are float32 [3, height, width].

    Returns:
        The pixels inside, and where they begin: int32 [2], row and column.
    """
    pixels, first = _inside(pixels)
    pixels, second = _inside(pixels)
    return pixels, first + second


@tf.function(input_signature=[PICTURE], autograph=False)  # Traced once for both frames.
def _inside(pixels: Any) -> Any:
    near = tf.cast(_square(pixels - pixels[:, :1, :1]) < NEAR**2, tf.float32)
    rows, columns = tf.reduce_mean(near, axis=1), tf.reduce_mean(near, axis=0)
    top, bottom, left, right = map(_plain, (rows, rows[::-1], columns, columns[::-1]))
    height, width = tf.size(rows), tf.size(columns)
    upright = _ends_at_once(rows, top, bottom, (left + right) / width)
    lying = _ends_at_once(columns, left, right, (top + bottom) / height)
    is_bar = (top + bottom == 0) | (left + right == 0)
    # The margin around a subject is wider than a frame, and its corners are rarely filled.
    is_frame = upright & lying & (2 * (height - top - bottom) > height)
    is_frame &= 2 * (width - left - right) > width
    # The pixel beside a bar is a mixture.
    up, down = (tf.where(upright, each + 1, 0) for each in (top, bottom))
    before, after = (tf.where(lying, each + 1, 0) for each in (left, right))
    inner = pixels[:, up : height - down, before : width - after]
    # A plain rectangle on a plain background is no picture in a frame.
    differs = tf.cast(_square(inner - inner[:, :1, :1]) > NEAR**2, tf.float32)
    is_picture = (is_bar | is_frame) & (tf.reduce_mean(differs) > LEAST)
    return tf.cond(
        is_picture,
        lambda: (inner, tf.stack([up, before])),
        lambda: (pixels, tf.zeros([2], tf.int32)),
    )


def _square(difference: Any) -> Any:
    """The square of a distance in RGB, by pixel."""
    return tf.reduce_sum(tf.square(difference), axis=0)


def _plain(shares: Any) -> Any:
    """How many rows from the first one on have one colour."""
    return tf.reduce_sum(tf.math.cumprod(tf.cast(shares > STRAIGHT, tf.int32)))


def _ends_at_once(shares: Any, first: Any, last: Any, sides: Any) -> Any:
    """Whether rows of one colour at both ends stop all along their width, but at its sides."""
    count, sides = tf.size(shares), tf.cast(sides, tf.float32)
    inner = tf.stack([tf.minimum(first + 1, count - 1), tf.maximum(count - last - 2, 0)])
    stop = tf.gather(shares, inner) < sides + (1 - STRAIGHT) * (1 - sides)
    return tf.reduce_all(stop) & (first > 0) & (last > 0) & (first + last + 2 < count)


def background_of(pixels: Any) -> Any:
    """The background's colour at each pixel, as a plane in each channel, since light falls off.

    It starts from the most common colour of the border and not from the border's mean, because
    the subject may reach the border. Pixels and result are float32 [3, height, width], 0 to 255.
    """
    y, x = (tf.range(size) / size - 0.5 for size in tf.unstack(tf.shape(pixels)[1:]))
    y, x = (tf.cast(each, tf.float32) for each in (y[:, None], x[None]))
    places = _border(tf.shape(pixels)[1:])
    colours = tf.gather_nd(tf.transpose(pixels, [1, 2, 0]), places)
    terms = [tf.gather(y[:, 0], places[:, 0]), tf.gather(x[0], places[:, 1])]
    terms = tf.stack([tf.ones_like(terms[0]), *terms], axis=1)
    expected = tf.zeros_like(colours) + _most_common(colours)
    plane = tf.zeros([3, 3])
    for _ in range(FITS):
        fits = tf.cast(tf.norm(colours - expected, axis=1) < NEAR, tf.float32)
        weighted = tf.transpose(terms * fits[:, None])
        plane = tf.linalg.solve(weighted @ terms + RIDGE * tf.eye(3), weighted @ colours)
        expected = terms @ plane
    plane = tf.reshape(plane, [3, 3, 1, 1])
    return tf.clip_by_value(plane[0] + plane[1] * y + plane[2] * x, 0.0, 255.0)


def _border(shape: Any) -> Any:
    """Some of the places in the border: int32 [n, 2], rows and columns."""
    shorter = tf.cast(tf.reduce_min(shape), tf.float32)
    thickness = tf.maximum(1, tf.cast(tf.round(BORDER * shorter), tf.int32))
    y, x = (
        (tf.range(size) < thickness) | (tf.range(size) >= size - thickness)
        for size in tf.unstack(shape)
    )
    places = tf.cast(tf.where(y[:, None] | x[None]), tf.int32)
    return places[:: tf.maximum(1, tf.shape(places)[0] // SAMPLES)]


def _most_common(colours: Any) -> Any:
    """The colour among ``CANDIDATES`` of them that most of all colours are near to."""
    few = colours[:: tf.maximum(1, tf.shape(colours)[0] // CANDIDATES)]
    lengths, own = (tf.reduce_sum(tf.square(each), axis=1) for each in (colours, few))
    squares = own[:, None] + lengths[None] - 2 * tf.matmul(few, colours, transpose_b=True)
    return few[tf.argmax(tf.reduce_sum(tf.cast(squares < NEAR**2, tf.int32), axis=1))]


def box_of_subject(differs: Any) -> Any:
    """Top, bottom, left and right of what differs from the background; all 0 if nothing does."""
    shape = tf.shape(differs)
    mask = tf.cast(differs, tf.float32)[None, :, :, None]
    most = tf.nn.conv2d(mask, tf.ones([3, 3, 1, 1]), 1, "SAME")[0, :, :, 0] > 4.5
    mask = _in_one_place(tf.where(tf.reduce_max(shape) < SPECK, differs, most))
    rows = tf.where(tf.reduce_any(mask, axis=1))
    columns = tf.where(tf.reduce_any(mask, axis=0))

    def box() -> Any:
        ends = [reduce(each) for each in (rows, columns) for reduce in (tf.reduce_min, _after)]
        return tf.cast(tf.stack(ends), tf.int32)

    return tf.cond(tf.size(rows) > 0, box, lambda: tf.zeros([4], tf.int32))


def _after(places: Any) -> Any:
    return tf.reduce_max(places) + 1


def _in_one_place(mask: Any) -> Any:
    """The mask without its small pieces that are far from the largest one."""
    shape = tf.shape(mask)
    cell = -(-tf.reduce_max(shape) // CELLS)
    padded = tf.pad(tf.cast(mask, tf.float32), [[0, -shape[0] % cell], [0, -shape[1] % cell]])
    size = tf.shape(padded) // cell
    areas = tf.reduce_sum(tf.reshape(padded, [size[0], cell, size[1], cell]), axis=[1, 3])
    pieces = _pieces(areas > 0)
    flat, count = tf.reshape(pieces, [-1]), tf.size(pieces) + 1
    piece_areas = tf.math.unsorted_segment_sum(tf.reshape(areas, [-1]), flat, count)
    largest = tf.argmax(piece_areas, output_type=tf.int32)
    places = tf.cast(tf.where(pieces == largest), tf.int32)
    first, last = tf.reduce_min(places, axis=0) - 1, tf.reduce_max(places, axis=0) + 1
    y, x = tf.meshgrid(tf.range(size[0]), tf.range(size[1]), indexing="ij")
    is_near = (y >= first[0]) & (y <= last[0]) & (x >= first[1]) & (x <= last[1])
    touches = tf.math.unsorted_segment_max(
        tf.cast(tf.reshape(is_near, [-1]), tf.int32), flat, count
    )
    is_kept = (piece_areas >= SMALL * tf.reduce_max(piece_areas)) | (touches > 0)
    kept = tf.gather(is_kept, pieces)
    kept = tf.repeat(tf.repeat(kept, cell, axis=0), cell, axis=1)
    return mask & kept[: shape[0], : shape[1]]


def _pieces(cells: Any) -> Any:
    """A number for each piece of cells that touch: int32 [height, width], 0 where is none."""
    numbers = tf.reshape(tf.range(1, tf.size(cells) + 1), tf.shape(cells))
    cells = tf.cast(cells, tf.float32)

    def spread(numbers: Any, _: Any) -> Any:
        grown = tf.nn.max_pool2d(numbers[None, :, :, None], 3, 1, "SAME")[0, :, :, 0] * cells
        return grown, tf.reduce_any(grown != numbers)

    start = (tf.cast(numbers, tf.float32) * cells, True)
    return tf.cast(tf.while_loop(lambda _, changes: changes, spread, start)[0], tf.int32)
