"""SavedModels: directories that look like one, and small ones that answer."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from components.dataset.description import Description
from tests.photographs import encoded

COLOURED = Description("Signs", ("give way", "no entry", "stop"), 32, 32, 3, preparation="scaled")
GREY = Description("Leaves", ("ash", "beech", "elm", "oak"), 12, 20)


def make_model(path: Path) -> Path:
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"graph")
    (path / "variables" / "variables.index").write_bytes(b"index")
    return path


def picture_of(*classes: int, shape: tuple[int, ...] = (28, 28)) -> bytes:
    """A PNG of which such a model says one of these classes, all equally likely."""
    pixels = np.zeros(shape, np.uint8)
    pixels[list(classes)] = 255
    return encoded(Image.fromarray(pixels))


def make_described(path: Path, about: Description, *, labelled: bool = False) -> Path:
    """A SavedModel that says what it was trained on; by itself it has no names for its classes."""
    make_classifier(path, about.classes, labelled=labelled, shape=about.shape)
    about.write(path)
    return path


def make_classifier(
    path: Path,
    names: Sequence[str],
    *,
    labelled: bool = True,
    shape: tuple[int, ...] = (28, 28),
) -> Path:
    """A SavedModel that takes an image for the class whose row, of the first ones, is lightest.

    In a black image it finds nothing. A picture of another size is scaled.
    """
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        light = tf.cast(image[:, : len(names)], tf.float32)
        rows = tf.reduce_sum(tf.reshape(light, [-1, len(names), math.prod(shape[1:])]), axis=2)
        nothing = tf.reduce_max(rows, axis=1) == 0
        class_id = tf.where(nothing, tf.constant(-1, tf.int64), tf.argmax(rows, axis=1))
        label = tf.where(nothing, "", tf.gather(tf.constant(names), tf.nn.relu(class_id)))
        answer = {"probabilities": tf.nn.softmax(rows / 1000), "class_id": class_id}
        return answer | ({"label": label} if labelled else {})

    def prepare(image_bytes: Any) -> dict[str, Any]:
        def scaled(one: Any) -> Any:
            channels = 3 if len(shape) > 2 else 1
            decoded = tf.io.decode_image(one, channels, expand_animations=False)
            resized = tf.image.resize(decoded, shape[:2], "area")
            return tf.cast(tf.reshape(resized, shape), tf.uint8)

        spec = tf.TensorSpec(shape, tf.uint8)
        return {"image": tf.map_fn(scaled, image_bytes, fn_output_signature=spec)}

    def serve_bytes(image_bytes: Any) -> dict[str, Any]:
        return serve(prepare(image_bytes)["image"])

    image = tf.TensorSpec([None, *shape], tf.uint8, name="image")
    encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
    signatures = {
        "serving_default": tf.function(serve, input_signature=[image]),
        "serving_bytes": tf.function(serve_bytes, input_signature=[encoded]),
        "prepare": tf.function(prepare, input_signature=[encoded]),
    }
    tf.saved_model.save(tf.Module(), str(path), signatures=signatures)
    return path


def files(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*")}
