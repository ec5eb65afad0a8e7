"""The trained model as a SavedModel with all preprocessing inside, and its digest."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from components.dataset.facts import CLASS_NAMES, IMAGE_HEIGHT, IMAGE_WIDTH


def export(model: keras.Model, directory: Path) -> None:
    """Writes ``model`` to ``directory`` as a SavedModel with two signatures.

    ``serving_default``: ``image`` uint8 [N, 28, 28] to ``probabilities`` float32 [N, 10],
    ``class_id`` int64 [N] and ``label`` string [N]. ``serving_bytes``: ``image_bytes``
    string [N], PNG or JPEG of any size and color, to the same. ``model`` gives float32 logits
    [N, 10] and has the float32 policy, so that a server without bfloat16 emulates nothing.
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
    # Not the model itself: Keras would save traces of its own along with the two signatures.
    module.weights = [weight.value for weight in model.weights]
    # A part of the digest, since the answers depend on it.
    module.views = tf.Variable(model.layers[-1].views, trainable=False)
    signatures = {
        "serving_default": tf.function(predict, input_signature=[images]),
        "serving_bytes": tf.function(predict_bytes, input_signature=[encoded]),
    }
    directory.mkdir(parents=True, exist_ok=True)
    # Nothing trains the exported model.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(directory), signatures=signatures, options=options)


def digest_of(directory: Path) -> str:
    """The identity of a SavedModel: hexadecimal SHA-256 over its variables and signatures.

    The files themselves also depend on what the process did before: TensorFlow numbers functions
    and layers through. Variables count with name, dtype, shape and values, signatures with the
    names, dtypes and shapes of their inputs and outputs.
    """
    digest = hashlib.sha256()
    reader = tf.train.load_checkpoint(str(directory / "variables" / "variables"))
    for name, shape in sorted(reader.get_variable_to_shape_map().items()):
        if name.endswith("/.ATTRIBUTES/VARIABLE_VALUE"):
            value = reader.get_tensor(name)
            digest.update(f"{name} {value.dtype} {shape}\n".encode() + value.tobytes())
    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    for name, signature in sorted(saved.meta_graphs[0].signature_def.items()):
        for kind in ("inputs", "outputs"):
            for key, tensor in sorted(getattr(signature, kind).items()):
                shape = [dimension.size for dimension in tensor.tensor_shape.dim]
                digest.update(f"{name} {kind} {key} {tensor.dtype} {shape}\n".encode())
    return digest.hexdigest()


def decode_image(encoded: Any) -> Any:
    """A PNG or JPEG string as gray uint8 [28, 28], resized smoothly if needed."""
    image = tf.io.decode_image(encoded, channels=1, expand_animations=False)
    image = tf.image.resize(image, [IMAGE_HEIGHT, IMAGE_WIDTH], antialias=True)
    return tf.cast(tf.round(image[:, :, 0]), tf.uint8)
