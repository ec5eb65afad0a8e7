"""SavedModels: directories that look like one, and small ones that answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def make_model(path: Path) -> Path:
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"graph")
    (path / "variables" / "variables.index").write_bytes(b"index")
    return path


def make_classifier(path: Path, names: Sequence[str], *, labelled: bool = True) -> Path:
    """A SavedModel that takes an image for the class whose row, of the first ones, is lightest.

    In a black image it finds nothing. A picture of another size is scaled.
    """
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        rows = tf.reduce_sum(tf.cast(image[:, : len(names)], tf.float32), axis=2)
        nothing = tf.reduce_max(rows, axis=1) == 0
        class_id = tf.where(nothing, tf.constant(-1, tf.int64), tf.argmax(rows, axis=1))
        label = tf.where(nothing, "", tf.gather(tf.constant(names), tf.nn.relu(class_id)))
        answer = {"probabilities": tf.nn.softmax(rows / 1000), "class_id": class_id}
        return answer | ({"label": label} if labelled else {})

    def prepare(image_bytes: Any) -> dict[str, Any]:
        def scaled(one: Any) -> Any:
            decoded = tf.io.decode_image(one, 1, expand_animations=False)
            return tf.cast(tf.image.resize(decoded, [28, 28], "area")[..., 0], tf.uint8)

        spec = tf.TensorSpec([28, 28], tf.uint8)
        return {"image": tf.map_fn(scaled, image_bytes, fn_output_signature=spec)}

    def serve_bytes(image_bytes: Any) -> dict[str, Any]:
        return serve(prepare(image_bytes)["image"])

    image = tf.TensorSpec([None, 28, 28], tf.uint8, name="image")
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
