"""The network: a small CNN with all preprocessing inside."""

from typing import Any, Final

import keras
from keras import layers

from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH, NUM_CLASSES

from .layers import Committee, FusedBatchNormalization
from .util import Hyperparameters

PIXEL_MEAN: Final = 72.94
PIXEL_DEVIATION: Final = 90.02
"""Of the official 60,000 training images, in pixel values 0 to 255."""


LANES: Final = 16
"""Channels that a CPU with AVX-512 computes at once; with fewer a convolution is no faster."""
SQUEEZE: Final = 4
"""How many channels are squeezed into one, to say what each counts."""


def build_model(hyperparameters: Hyperparameters, precision: str = "float32") -> keras.Model:
    """The network: uint8 images [N, 28, 28] to float32 logits [N, 10].

    ``residual``: two convolutions at full resolution (of fewer than 32 channels: one) and a
    pooling; then a stage for each further entry of ``filters``, which halves the image (the first
    by a stride, the others by pooling) and ends in a residual pair; then the mean over the image.
    ``plain``: for each entry of ``filters`` a convolution and a pooling, as in a textbook. Both
    end in one fully connected layer, if any, and the last. Several ``members`` are as many such
    networks beside each other: see ``Committee``. Weights do not depend on ``precision`` in
    shape, order or dtype (float32).

    Args:
        hyperparameters: ``architecture``, ``filters``, ``dense_units``, ``dropout``, ``members``
            and ``seed``.
        precision: What it computes in, ``float32`` or ``bfloat16``; the last layers always
            in float32.
    """
    compute = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    images = keras.Input((IMAGE_HEIGHT, IMAGE_WIDTH), dtype="uint8", name="image")
    x = layers.Reshape((IMAGE_HEIGHT, IMAGE_WIDTH, 1), dtype=compute)(images)
    x = layers.Rescaling(1 / PIXEL_DEVIATION, offset=-PIXEL_MEAN / PIXEL_DEVIATION, dtype=compute)(
        x
    )
    members = [_member(x, hyperparameters, compute, n) for n in range(hyperparameters.members)]
    return keras.Model(images, Committee(dtype="float32")(members), name="fashion_mnist")


def _member(x: Any, hyperparameters: Hyperparameters, dtype: str, number: int) -> Any:
    body = _plain if hyperparameters.architecture == "plain" else _residual
    x = body(x, hyperparameters.filters, dtype)
    if hyperparameters.dense_units:
        x = layers.Dense(hyperparameters.dense_units, activation="relu", dtype="float32")(x)
    if hyperparameters.dropout:
        seed = hyperparameters.seed + number
        x = layers.Dropout(hyperparameters.dropout, seed=seed, dtype="float32")(x)
    return layers.Dense(NUM_CLASSES, dtype="float32", name=f"logits_{number}")(x)


def _plain(x: Any, filters: tuple[int, ...], dtype: str) -> Any:
    for channels in filters:
        x = _convolution(x, channels, dtype)
        x = layers.MaxPooling2D(dtype=dtype)(x)
    return layers.Flatten(dtype="float32")(x)


def _residual(x: Any, filters: tuple[int, ...], dtype: str) -> Any:
    stem, first, *others = filters
    if stem >= 2 * LANES:
        x = _convolution(x, stem // 2, dtype)
    x = _convolution(x, stem, dtype, pool=True)
    x = _convolution(x, first, dtype, strides=2)
    x = _residual_pair(x, first, dtype)
    for channels in others:
        x = _convolution(x, channels, dtype, pool=True)
        x = _residual_pair(x, channels, dtype)
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def _convolution(
    x: Any, filters: int, dtype: str, *, strides: int = 1, pool: bool = False, relu: bool = True
) -> Any:
    x = layers.Conv2D(
        filters, 3, strides, "same", use_bias=False, kernel_initializer="he_normal", dtype=dtype
    )(x)
    if pool:  # First, since normalizing a quarter of the pixels takes a quarter of the time.
        x = layers.MaxPooling2D(dtype=dtype)(x)
    x = FusedBatchNormalization(dtype=dtype)(x)
    return layers.ReLU(dtype=dtype)(x) if relu else x


def _residual_pair(x: Any, filters: int, dtype: str) -> Any:
    y = _convolution(x, filters, dtype)
    y = _convolution(y, filters, dtype, relu=False)
    y = layers.Multiply(dtype=dtype)([y, _excitation(y, filters, dtype)])
    return layers.ReLU(dtype=dtype)(layers.Add(dtype=dtype)([x, y]))


def _excitation(x: Any, filters: int, dtype: str) -> Any:
    """Squeeze and excitation (Hu et al., 2018): what each channel counts, from all of the image."""
    x = layers.GlobalAveragePooling2D(keepdims=True, dtype=dtype)(x)
    x = layers.Dense(max(1, filters // SQUEEZE), activation="relu", dtype=dtype)(x)
    return layers.Dense(filters, activation="sigmoid", dtype=dtype)(x)
