"""The trained model as a SavedModel with all preprocessing inside."""

import re
from pathlib import Path
from typing import Any, Final

import keras
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from components.dataset.facts import CLASS_NAMES, IMAGE_HEIGHT, IMAGE_WIDTH

USER_NAME: Final = "_user_specified_name"


def export(model: keras.Model, directory: Path) -> None:
    """Writes ``model`` to ``directory`` as a SavedModel with the contract's signatures.

    ``serving_default``: ``image`` uint8 [N, 28, 28] to ``probabilities`` float32 [N, 10],
    ``class_id`` int64 [N] and ``label`` string [N]. ``serving_bytes``: ``image_bytes``
    string [N], PNG or JPEG of any size and color, to the same.

    Equal weights give equal files but for ``fingerprint.pb``, in processes that built the same
    models before: Keras numbers layers through.

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
    forget_history(directory / "saved_model.pb")


def forget_history(path: Path) -> None:
    """Takes what tells of the process out of a ``saved_model.pb``, in place.

    TensorFlow ends the names of functions, and names what they capture, with a count of
    everything that the process did before; that hangs on time too. Here functions are counted
    by themselves, and captures have no such name.
    """
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    for function in functions:
        for argument in function.arg_attr.values():
            if argument.attr[USER_NAME].s.isdigit():
                del argument.attr[USER_NAME]
    names = [function.signature.name for function in functions]
    names.sort(key=lambda name: int(name.rpartition("_")[2]))
    new = {name: f"{name.rpartition('_')[0]}_{index}" for index, name in enumerate(names)}
    # Arguments are named after functions too, so a name may stand inside another.
    known = re.compile(f"(?:{'|'.join(sorted(names, key=len, reverse=True))})(?!\\d)")
    text = known.sub(lambda found: new[found[0]], text_format.MessageToString(saved))
    saved = text_format.Parse(text, saved_model_pb2.SavedModel())
    saved.meta_graphs[0].graph_def.library.function.sort(key=lambda each: each.signature.name)
    path.write_bytes(saved.SerializeToString(deterministic=True))


def decode_image(encoded: Any) -> Any:
    """A PNG or JPEG string as uint8 [28, 28]: in gray, smoothly resized if it needs to be."""
    image = tf.io.decode_image(encoded, channels=1, expand_animations=False)
    image = tf.image.resize(image, [IMAGE_HEIGHT, IMAGE_WIDTH], antialias=True)
    return tf.cast(tf.round(image[:, :, 0]), tf.uint8)
