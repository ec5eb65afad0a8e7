"""The trained model as a SavedModel with all preprocessing inside, and its digest."""

import hashlib
from pathlib import Path
from typing import Any, Final

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from components.dataset.code import code_digest
from components.dataset.description import Description

from .preparation import prepare

PREPARATION: Final = "components.train.trainer.preparation"
"""The module whose code, with all that it imports, decides what the network sees of a photo."""


def export(
    model: keras.Model, directory: Path, description: Description, *, temperature: float = 1.0
) -> None:
    """Writes ``model`` to ``directory`` as a SavedModel with three signatures, and what it knows.

    ``serving_default``: ``image`` uint8 [N, h, w(, 3)] to ``probabilities`` float32 [N, classes],
    ``class_id`` int64 [N] and ``label`` string [N]. ``serving_bytes``: ``image_bytes``
    string [N], PNG or JPEG of any size and color, to the same. ``prepare``: ``image_bytes`` to
    ``image``, which is what the network sees. An image without a pixel above 0 shows nothing:
    its ``class_id`` is -1, its label is empty and all classes are equally probable.

    ``model`` gives float32 logits [N, classes], which are divided by ``temperature``. It has the
    float32 policy, so that a server without bfloat16 emulates nothing.
    """
    names, shape = description.classes, description.shape
    images = tf.TensorSpec([None, *shape], tf.uint8, name="image")
    encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
    module = tf.Module()
    # Not the model itself: Keras would save traces of its own along with the signatures.
    module.weights = [weight.value for weight in model.weights]
    # Parts of the digest, since the answers depend on them.
    module.views = tf.Variable(model.layers[-1].views, trainable=False)
    module.temperature = tf.Variable(temperature, trainable=False)
    module.preparation = tf.Variable(list(bytes.fromhex(code_digest(PREPARATION))))
    module.description = tf.Variable(list(hashlib.sha256(description.text().encode()).digest()))

    @tf.function(input_signature=[images], autograph=False)
    def predict(image: Any) -> dict[str, Any]:
        # TFLite pads and compares no uint8.
        pixels, count = tf.cast(image, tf.int32), tf.shape(image)[0]
        # The network's operations refuse an empty batch.
        padded = tf.pad(pixels, [[0, tf.cast(count == 0, tf.int32)], *([0, 0] for _ in shape)])
        logits = model(tf.cast(padded, tf.uint8), training=False)[:count] / module.temperature
        is_shown = tf.reduce_max(pixels, axis=range(1, pixels.shape.rank)) > 0
        probabilities = tf.nn.softmax(tf.where(is_shown[:, None], logits, 0.0))
        class_id = tf.where(is_shown, tf.argmax(logits, axis=-1), -1)
        label = tf.gather([*names, ""], tf.where(is_shown, class_id, len(names)))
        return {"probabilities": probabilities, "class_id": class_id, "label": label}

    @tf.function(input_signature=[encoded], autograph=False)
    def prepare_all(image_bytes: Any) -> dict[str, Any]:
        def see(content: Any) -> Any:
            return prepare(content, description)

        one = tf.TensorSpec(shape, tf.uint8)
        return {"image": tf.map_fn(see, image_bytes, fn_output_signature=one)}

    @tf.function(input_signature=[encoded], autograph=False)
    def predict_bytes(image_bytes: Any) -> Any:
        return predict(prepare_all(image_bytes)["image"])

    signatures = {
        "serving_default": predict,
        "serving_bytes": predict_bytes,
        "prepare": prepare_all,
    }
    directory.mkdir(parents=True, exist_ok=True)
    # Nothing trains the exported model.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(directory), signatures=signatures, options=options)
    description.write(directory)


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
