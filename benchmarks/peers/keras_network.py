"""Keras' own training: ``python -m benchmarks.peers.keras_network RAW STEPS``.

The network of the preset ``accurate``: the same layers and batches in float32, with Keras' batch
normalization and Adam, by ``fit`` on arrays. Prints the images per second of training.
"""

import sys
import time
from pathlib import Path
from typing import Any

import keras
from keras import layers

from benchmarks.peers.keras_data import load_splits

BATCH = 256
WARM_UP = 10


def convolution(
    x: Any, filters: int, strides: int = 1, pool: bool = False, relu: bool = True
) -> Any:
    x = layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
    if pool:
        x = layers.MaxPooling2D()(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def residual_pair(x: Any, filters: int) -> Any:
    y = convolution(x, filters)
    y = convolution(y, filters, relu=False)
    z = layers.GlobalAveragePooling2D(keepdims=True)(y)
    z = layers.Dense(filters // 4, activation="relu")(z)
    y = layers.Multiply()([y, layers.Dense(filters, activation="sigmoid")(z)])
    return layers.ReLU()(layers.Add()([x, y]))


def network() -> keras.Model:
    images = keras.Input((28, 28, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(images)
    x = convolution(x, 16)
    x = convolution(x, 32, pool=True)
    x = convolution(x, 64, strides=2)
    x = residual_pair(x, 64)
    x = convolution(x, 128, pool=True)
    x = residual_pair(x, 128)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(images, layers.Dense(10)(x))


def main(raw: str, steps: str) -> None:
    (images, labels), _ = load_splits(Path(raw), seed=0)
    model = network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    few, many = WARM_UP * BATCH, int(steps) * BATCH
    model.fit(images[:few], labels[:few], batch_size=BATCH, verbose=0)
    started = time.perf_counter()
    model.fit(images[:many], labels[:many], batch_size=BATCH, verbose=0)
    print(many / (time.perf_counter() - started))


if __name__ == "__main__":
    main(*sys.argv[1:])
