"""A model on photos of test images: ``python -m benchmarks.sides.photos RAW MODEL PHOTOS COUNT``.

Prints, for each kind of photo of the first ``COUNT`` test images, two accuracies as JSON: through
the preparation in the model, and of the photo converted to grey and squeezed to 28x28, as an
exported model usually does it. Writes 1,000 photos of all kinds to ``PHOTOS``.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf

from benchmarks.peers.keras_data import read
from tests.photographs import BACKGROUNDS

MANY = 1000


def main(raw: str, model: str, photos: str, count: str) -> None:
    """Asks about all of them."""
    images, labels = read(Path(raw), "t10k")
    signatures = tf.saved_model.load(model).signatures
    accuracies = {}
    for kind, make in BACKGROUNDS.items():
        files = tf.constant([make(image) for image in images[: int(count)]])
        prepared = signatures["serving_bytes"](image_bytes=files)
        squeezed = signatures["serving_default"](image=tf.stack([_squeezed(f) for f in files]))
        accuracies[kind] = [
            float((answer["class_id"].numpy() == labels[: int(count)]).mean())
            for answer in (prepared, squeezed)
        ]
    makers = list(BACKGROUNDS.values())
    for number, image in enumerate(images[:MANY]):
        Path(photos, f"{number:03}.jpg").write_bytes(makers[number % len(makers)](image))
    print(json.dumps(accuracies))


def _squeezed(file: tf.Tensor) -> tf.Tensor:
    grey = tf.io.decode_image(file, channels=1, expand_animations=False)
    small = tf.image.resize(grey, [28, 28], antialias=True)[..., 0]
    return tf.cast(tf.round(small), tf.uint8)


if __name__ == "__main__":
    main(*sys.argv[1:])
