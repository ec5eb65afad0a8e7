"""What tutorials train: ``python -m benchmarks.peers.keras_fit RAW NETWORK EPOCHS SEED``.

``cnn`` is the convolutional network of the guides (two convolutions, each with a pooling, then a
fully connected layer), ``mlp`` the one of the old sample. Adam, batches of 128, float32, ``fit``
on arrays. Prints the curve and the test accuracy as JSON.
"""

import json
import sys
import time
from pathlib import Path

import keras
from keras import layers

from benchmarks.peers.keras_data import load, load_splits

BATCH = 128
NETWORKS = {
    "cnn": lambda: [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ],
    "mlp": lambda: [
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ],
}


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the seconds of training, without those of validation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.curve: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._started = time.perf_counter()

    def on_test_begin(self, logs: object = None) -> None:
        self.seconds += time.perf_counter() - self._started

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        reached = (logs or {})["val_accuracy"]
        self.curve.append({"seconds": self.seconds, "validation_accuracy": reached})


def main(raw: str, network: str, epochs: str, seed: str) -> None:
    """Trains, and prints what came out."""
    keras.utils.set_random_seed(int(seed))
    train, validation = load_splits(Path(raw), int(seed))
    model = keras.Sequential([keras.Input((28, 28, 1)), *NETWORKS[network]()])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    clock = Clock()
    model.fit(
        *train,
        batch_size=BATCH,
        epochs=int(epochs),
        validation_data=validation,
        callbacks=[clock],
        verbose=0,
    )
    _, accuracy = model.evaluate(*load(Path(raw), "t10k"), batch_size=1000, verbose=0)
    print(json.dumps({"curve": clock.curve, "seconds": clock.seconds, "test_accuracy": accuracy}))


if __name__ == "__main__":
    main(*sys.argv[1:])
