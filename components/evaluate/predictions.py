"""Predictions of a SavedModel through the signature that serves it."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.description import NAME, Description
from components.dataset.errors import DataError, StepError
from components.dataset.startup import PINS, PREDICTIONS, quiet_start

BATCH_BYTES: Final = 1000 * 28 * 28
"""Of the images of a call: enough to fill the cores, with some 100 MB of activations."""
MODEL_FILES: Final = ("saved_model.pb", "variables/*")
SIGNATURE: Final = "serving_default"
INPUT: Final = "image"
OUTPUT: Final = "probabilities"
LABEL: Final = "label"


class ModelError(StepError):
    """A model that cannot be read, or does not answer as the contract says."""


def predict(
    directory: Path, images: NDArray[np.uint8], about: Description, *, name: str, cure: str
) -> NDArray[np.float32]:
    """Probabilities of each class for each image.

    Args:
        directory: SavedModel with ``serving_default``: image uint8 [n, …] to probabilities
            float32 [n, classes].
        images: uint8 [n, …] in the description's shape.
        about: What the images are.
        name: What to call the model in an error, as ``the champion, version 3,``.
        cure: What a person can do about an error.

    Returns:
        float32 [n, classes].

    Raises:
        ModelError: As ``answers``, or the model has other classes than the data.
    """
    if not os.environ.get(PREDICTIONS):
        return _predict(directory, images, about, name, cure)
    try:
        known = Path(os.environ[PREDICTIONS], _digest(directory, images, about))
    except OSError as error:
        raise ModelError(f"{name} in {directory} cannot be read ({error}); {cure}") from error
    if not known.is_file():
        found = _predict(directory, images, about, name, cure)
        known.parent.mkdir(parents=True, exist_ok=True)
        # In the run's scratch folder, which is removed whatever happens.
        with tempfile.NamedTemporaryFile(delete=False) as aside:
            aside.write(found.tobytes())
        Path(aside.name).replace(known)
    return np.frombuffer(known.read_bytes(), np.float32).reshape(-1, len(about.classes))


def _digest(directory: Path, images: NDArray[np.uint8], about: Description) -> str:
    """SHA-256 over everything that decides a prediction: model, data, packages, this code."""
    files = sorted(path for pattern in MODEL_FILES for path in directory.glob(pattern))
    contents = [images.tobytes(), str((about.classes, about.shape)).encode()]
    contents += [os.environ.get(PINS, "").encode(), Path(__file__).read_bytes()]
    contents += [path.read_bytes() for path in files if path.is_file()]
    digest = hashlib.sha256()
    for part in contents:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _predict(
    directory: Path, images: NDArray[np.uint8], about: Description, name: str, cure: str
) -> NDArray[np.float32]:
    if (directory / NAME).is_file():
        try:
            own = Description.read(directory)
        except DataError as error:
            raise ModelError(f"{name} cannot be used ({error}); {cure}") from error
        if own.shape != about.shape:
            raise ModelError(
                f"{name} takes images of {own.form}, and the data has {about.form}; {cure}"
            )
        _compare(len(own.classes), dict(enumerate(own.classes)), about, name, cure)
    probabilities, labels = answers(directory, images, name=name, cure=cure)
    _compare(probabilities.shape[1], labels, about, name, cure)
    return probabilities


def _compare(
    count: int, labels: Mapping[int, str], about: Description, name: str, cure: str
) -> None:
    """Refuses a model with other classes: their number, and names of them by label."""
    if count != len(about.classes):
        raise ModelError(f"{name} has {count} classes, and the data {len(about.classes)}; {cure}")
    for number, label in sorted(labels.items()):
        if label != about.classes[number]:
            raise ModelError(
                f"{name} has other classes: it calls class {number} {label!r}, and the data "
                f"{about.classes[number]!r}; {cure}"
            )


def answers(
    directory: Path, images: NDArray[np.uint8], *, name: str, cure: str
) -> tuple[NDArray[np.float32], dict[int, str]]:
    """What a SavedModel answers to images, uint8 [n, …]; the arguments are as in ``predict``.

    Returns:
        Probabilities, float32 [n, classes], and by its number the label of each class that is an
        image's most likely one; no label if the signature gives none.

    Raises:
        ModelError: The model is missing or unreadable, has another interface, takes images of
            another shape, or answers with anything but finite probabilities.
    """
    with quiet_start():
        import tensorflow as tf

        tf.config.list_physical_devices()
    if not (directory / "saved_model.pb").is_file():
        raise ModelError(f"{name} has no saved_model.pb in {directory}; {cure}")
    try:
        model = tf.saved_model.load(str(directory))
        ask = _signature(model, directory, images, name, cure)
        size = max(1, BATCH_BYTES // max(1, images[:1].size))
        batches = [
            ask(**{INPUT: tf.constant(images[start : start + size])})
            for start in range(0, len(images), size)
        ]
        found = np.concatenate([batch[OUTPUT].numpy() for batch in batches]).astype(np.float32)
        texts = [text for batch in batches if LABEL in batch for text in batch[LABEL].numpy()]
        labels = zip(found.argmax(axis=-1).tolist(), texts, strict=False)
        # An image that shows nothing has no label.
        named = {number: text.decode(errors="replace") for number, text in labels if text}
    except (OSError, ValueError, TypeError, AttributeError, KeyError, tf.errors.OpError) as error:
        reason = str(error).strip().split("\n", 1)[0][:300]
        raise ModelError(
            f"{name} in {directory} cannot be used ({type(error).__name__}: {reason}); {cure}"
        ) from error
    if found.ndim != 2 or len(found) != len(images) or not np.isfinite(found).all():
        raise ModelError(
            f"{name} answers with shape {found.shape}, expected finite probabilities of shape "
            f"({len(images)}, classes); {cure}"
        )
    return found, named


def _signature(model: Any, directory: Path, images: NDArray[np.uint8], name: str, cure: str) -> Any:
    signature = model.signatures.get(SIGNATURE)
    inputs = signature.structured_input_signature[1] if signature else {}
    outputs = signature.structured_outputs if signature else {}
    if set(inputs) != {INPUT} or OUTPUT not in outputs:
        raise ModelError(
            f"{name} in {directory} has no signature {SIGNATURE} from {INPUT} to {OUTPUT} "
            f"(inputs {sorted(inputs)}, outputs {sorted(outputs)}); {cure}"
        )
    taken, given = inputs[INPUT].shape[1:], images.shape[1:]
    if not taken.is_compatible_with(given):
        raise ModelError(
            f"{name} takes images of shape {_form(taken)}, and the data has {_form(given)}; {cure}"
        )
    return signature


def _form(shape: Any) -> str:
    return "x".join(map(str, shape))
