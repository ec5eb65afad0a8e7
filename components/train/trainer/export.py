"""The trained model as a SavedModel with all preprocessing inside."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from components.dataset.facts import CLASS_NAMES, IMAGE_HEIGHT, IMAGE_WIDTH


def export(model: keras.Model, directory: Path) -> None:
    """Writes ``model`` to ``directory`` as a SavedModel with the contract's signatures.

    ``serving_default``: ``image`` uint8 [N, 28, 28] to ``probabilities`` float32 [N, 10],
    ``class_id`` int64 [N] and ``label`` string [N]. ``serving_bytes``: ``image_bytes``
    string [N], PNG or JPEG of any size and color, to the same.

    Equal weights give equal files in processes that did the same before, but for
    ``fingerprint.pb``: TensorFlow numbers the functions of a process through.

    Args:
        model: uint8 [N, 28, 28] to float32 logits [N, 10], of float32 policy, so that a server
            without bfloat16 emulates nothing.
        directory: Where ``saved_model.pb`` goes; made when it is missing.
    """

    def predict(image: Any) -> dict[str, Any]:
        probabilities = tf.nn.softmax(model(image, training=False))
        class_id = tf.argmax(probabilities, axis=-1)
        label = tf.gather(tf.constant(CLASS_NAMES), class_id)
        return {"probabilities": probabilities, "class_id": class_id, "label": label}

    def predict_bytes(image_bytes: Any) -> dict[str, Any]:
        shape = tf.TensorSpec([IMAGE_HEIGHT, IMAGE_WIDTH], tf.uint8)
        return predict(tf.map_fn(decode_image, image_bytes, fn_output_signature=shape))

    images = tf.TensorSpec([None, IMAGE_HEIGHT, IMAGE_WIDTH], tf.uint8, name="image")
    encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
    module = tf.Module()
    # Not the model itself: Keras would save traces of its own beside the two signatures.
    module.weights = [weight.value for weight in model.weights]
    module.serving_default = tf.function(predict, input_signature=[images])
    module.serving_bytes = tf.function(predict_bytes, input_signature=[encoded])
    signatures = {
        "serving_default": module.serving_default,
        "serving_bytes": module.serving_bytes,
    }
    directory.mkdir(parents=True, exist_ok=True)
    tf.saved_model.save(module, str(directory), signatures=signatures)


def decode_image(encoded: Any) -> Any:
    """A PNG or JPEG string as uint8 [28, 28]: in gray, smoothly resized if it needs to be."""
    image = tf.io.decode_image(encoded, channels=1, expand_animations=False)
    image = tf.image.resize(image, [IMAGE_HEIGHT, IMAGE_WIDTH], antialias=True)
    return tf.cast(tf.round(image[:, :, 0]), tf.uint8)
