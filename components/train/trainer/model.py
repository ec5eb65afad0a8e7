"""The network: a small CNN with all preprocessing inside."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from keras import layers
from keras.initializers import GlorotUniform, HeNormal

from components.dataset.description import Description

from .hyperparameters import Hyperparameters
from .layers import Convolution, Ensemble, FusedBatchNormalization, WithMirrorImages

LANES: Final = 16
"""Channels that a CPU with AVX-512 computes at once; fewer do not make a convolution faster."""
SQUEEZE: Final = 4
"""How many channels the squeeze-and-excitation layers squeeze into one."""


class Style(NamedTuple):
    """What the layers of a network compute in, and seeds, one for the initial weights of each.

    Keras would draw seeds from Python's own generator, which all threads of a process share: the
    same seed would not always give the same weights.
    """

    dtype: str
    seeds: Iterator[int]


def build_model(
    hyperparameters: Hyperparameters,
    description: Description,
    precision: str = "float32",
    *,
    seed: int = 0,
) -> keras.Model:
    """The network: uint8 images [N, h, w(, 3)] to float32 logits [N, classes].

    It normalizes by mean and deviation of the description, if it has them. The image must be large
    enough for the ``filters``, as those that ``fitted`` returns.

    ``residual``: ``stem_convolutions`` at full resolution, all but the last narrower (half of the
    channels, but not below 16), and a pooling; then a stage for each further entry of ``filters``,
    which halves the image (the first by a stride, the others by pooling) and ends in a residual
    pair; then the mean over the image. ``plain``: a convolution and a pooling for each entry of
    ``filters``. Both end in one fully connected layer, if any, and the last. Several ``members``
    are so many networks side by side; their predictions, with ``mirror_averaging`` also those for
    the mirror image, are averaged: see ``Ensemble``. It computes in ``precision``, ``float32`` or
    ``bfloat16``, the last layers always in float32. Shape, order and dtype (float32) of the weights
    do not depend on it. The seed sets the initial weights and the dropout.
    """
    compute = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    images = keras.Input(description.shape, dtype="uint8", name="image")
    form = (description.height, description.width, description.channels)
    x = layers.Reshape(form, dtype=compute)(images)
    x = layers.Rescaling(*_normalization(description), dtype=compute)(x)
    views = 1
    if hyperparameters.mirror_averaging:
        views, x = 2, WithMirrorImages(dtype=compute)(x)
    style = Style(compute, _seeds(seed))
    classes = len(description.classes)
    members = [
        _member(x, hyperparameters, style, classes, name=f"logits_{number}", seed=seed + number)
        for number in range(hyperparameters.members)
    ]
    return keras.Model(images, Ensemble(views, dtype="float32")(members), name="classifier")


def _normalization(description: Description) -> tuple[list[float], list[float]]:
    """By what the pixels of each channel are multiplied, and what is added then."""
    channels = description.channels
    mean = np.array(description.mean or [0.0] * channels)
    deviation = np.array(description.deviation or [255.0] * channels)
    return (1 / deviation).tolist(), (-mean / deviation).tolist()


def _seeds(seed: int) -> Iterator[int]:
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31))


def _dense(x: Any, units: int, style: Style, activation: str | None = None, **options: Any) -> Any:
    initial = GlorotUniform(next(style.seeds))
    return layers.Dense(units, activation, kernel_initializer=initial, **options)(x)


def _member(
    x: Any, hyperparameters: Hyperparameters, style: Style, classes: int, *, name: str, seed: int
) -> Any:
    body = {"residual": _residual, "plain": _plain}[hyperparameters.architecture]
    x = body(x, hyperparameters, style)
    if hyperparameters.dense_units:
        x = _dense(x, hyperparameters.dense_units, style, "relu", dtype="float32")
    if hyperparameters.dropout:
        x = layers.Dropout(hyperparameters.dropout, seed=seed, dtype="float32")(x)
    return _dense(x, classes, style, dtype="float32", name=name)


def _plain(x: Any, hyperparameters: Hyperparameters, style: Style) -> Any:
    for channels in hyperparameters.filters:
        x = _convolution(x, channels, style)
        x = layers.MaxPooling2D(dtype=style.dtype)(x)
    return layers.Flatten(dtype="float32")(x)


def _residual(x: Any, hyperparameters: Hyperparameters, style: Style) -> Any:
    stem, first, *others = hyperparameters.filters
    narrow = max(stem // 2, min(stem, LANES))
    x = layers.Conv2D(
        narrow,
        3,
        padding="same",
        # Without a normalization, which would take as long; Muon does not rescale this kernel.
        activation="relu",
        kernel_initializer=HeNormal(next(style.seeds)),
        dtype=style.dtype,
    )(x)
    for _ in range(hyperparameters.stem_convolutions - 2):
        x = _convolution(x, narrow, style)
    x = _convolution(x, stem, style, pool=True)
    x = _convolution(x, first, style, strides=2)
    x = _residual_pair(x, first, style)
    for channels in others:
        x = _convolution(x, channels, style, pool=True)
        x = _residual_pair(x, channels, style)
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def _convolution(
    x: Any, filters: int, style: Style, *, strides: int = 1, pool: bool = False, relu: bool = True
) -> Any:
    """A convolution, its normalization, and optionally a pooling and an activation.

    The optimizer keeps every 4-D kernel with 16 or more input channels at one norm, which only a
    normalization after it makes harmless. So add no convolution without one, and no depthwise
    convolution, whose kernel is not a matrix with a column for each filter.
    """
    initial = HeNormal(next(style.seeds))
    x = Convolution(filters, strides, kernel_initializer=initial, dtype=style.dtype)(x)
    if pool:  # First, since normalizing a quarter of the pixels takes a quarter of the time.
        x = layers.MaxPooling2D(dtype=style.dtype)(x)
    x = FusedBatchNormalization(dtype=style.dtype)(x)
    return layers.ReLU(dtype=style.dtype)(x) if relu else x


def _residual_pair(x: Any, filters: int, style: Style) -> Any:
    y = _convolution(x, filters, style)
    y = _convolution(y, filters, style, relu=False)
    y = layers.Multiply(dtype=style.dtype)([y, _excitation(y, filters, style)])
    return layers.ReLU(dtype=style.dtype)(layers.Add(dtype=style.dtype)([x, y]))


def _excitation(x: Any, filters: int, style: Style) -> Any:
    """Squeeze and excitation (Hu et al., 2018): a weight for each channel, from the whole image."""
    x = layers.GlobalAveragePooling2D(keepdims=True, dtype=style.dtype)(x)
    x = _dense(x, max(1, filters // SQUEEZE), style, "relu", dtype=style.dtype)
    return _dense(x, filters, style, "sigmoid", dtype=style.dtype)
