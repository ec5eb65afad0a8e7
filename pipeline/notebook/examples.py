"""Images and labels for a cell: raw files, records, and a model's answers."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset import facts, idx
from components.dataset import records as records_of
from components.dataset.description import Description
from components.dataset.raw import open_raw, read_description
from components.dataset.startup import quiet_start
from pipeline.notebook.artifacts import Artifact
from pipeline.runs.chosen_model import ChosenModel

Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8], Description]
"""Images, uint8 [n, height, width], in colour [n, height, width, 3]; labels, uint8 [n]; and what
they are: ``.classes``, ``.name``, ``.form``."""
PNG_MODES: Final = ("1", "L", "LA", "P", "I", "I;16", "RGB", "RGBA")
FILES: Final = {
    "train": (facts.TRAIN_IMAGES, facts.TRAIN_LABELS),
    "test": (facts.TEST_IMAGES, facts.TEST_LABELS),
}


def read_raw(raw: Artifact, split: str = "train") -> Pictures:
    """All examples of the raw files of a split, ``train`` or ``test``, in their official order.

    Raises:
        DataError: A file is missing or damaged.
    """
    images, labels = FILES[split]
    folder = str(raw.path)
    about = read_description(folder)
    with open_raw(folder, images) as file:
        pictures = idx.read_all(file, images, idx.IMAGES, about)
    with open_raw(folder, labels) as file:
        return pictures, idx.read_all(file, labels, idx.LABELS, about), about


def read_split(records: Artifact) -> Pictures:
    """All examples of one of ``decode``'s outputs, in the order of its shards.

    Raises:
        DataError: A shard is missing or damaged.
    """
    return records_of.read_split(records.path)


def describe_records(records: Artifact) -> str:
    """The shards of a split with their sizes, and what the first of its examples holds."""
    tf = _tensorflow()
    shards = records_of.shards_of(records.path)
    lines = [f"{path.name}  {path.stat().st_size:,} bytes" for path in shards]
    first = next(iter(tf.data.TFRecordDataset(str(shards[0]))))
    features = tf.train.Example.FromString(first.numpy()).features.feature
    lines.append(f"{records.metadata['examples']:,.0f} examples, each with")
    for name, feature in sorted(features.items()):
        kind = feature.WhichOneof("kind")
        value = getattr(feature, kind).value[0]
        shown = f"{len(value)} bytes" if isinstance(value, bytes) else value
        lines.append(f"  {name}: {kind}, here {shown}")
    return "\n".join(lines)


def signatures(model: Artifact) -> str:
    """The signatures that a model is served by: a line for each input and output."""
    lines = []
    for name, signature in sorted(_load(model.path).signatures.items()):
        lines.append(name)
        inputs = signature.structured_input_signature[1]
        for sign, tensors in (("<-", inputs), ("->", signature.structured_outputs)):
            lines += [
                f"  {sign} {key}: {tensor.dtype.name} {_shape(tensor)}"
                for key, tensor in sorted(tensors.items())
            ]
    return "\n".join(lines)


def ask(model: Artifact, picture: Any) -> dict[str, float]:
    """A model's answer for a picture, which it prepares as ``fashion-mnist predict`` does.

    Args:
        model: The output of ``train``.
        picture: The path of a photo, a PIL image, or uint8 [height, width], in colour
            [height, width, 3]. A picture as in the data set, of its size, is used unchanged.

    Returns:
        The probability of each class by the model's name for it.

    Raises:
        PhotoError: The file is not an image, or nothing was found in it.
    """
    from pipeline.photos.predictions import Classifier, Photo, read
    from serving.photos import PhotoError, readable

    if isinstance(picture, str | Path):
        photo = read(str(picture))
    else:
        photo = Photo("the picture", content=readable(_png(picture)))
    if not photo.error:
        chosen = ChosenModel(model.path, "the model", {})
        Classifier(chosen).answer([photo])
    if photo.error:
        raise PhotoError(f"{photo.file}: {photo.error}")
    by_number = sorted(photo.ranking, key=lambda one: one.class_id)
    return {one.name: one.probability for one in by_number}


def _png(picture: Any) -> bytes:
    from PIL import Image, ImageOps

    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    picture = ImageOps.exif_transpose(picture)
    file = io.BytesIO()
    (picture if picture.mode in PNG_MODES else picture.convert("RGB")).save(file, "PNG")
    return file.getvalue()


def _load(path: Path) -> Any:
    return _tensorflow().saved_model.load(str(path))


def _tensorflow() -> Any:
    with quiet_start():
        import tensorflow as tf

        tf.config.list_physical_devices()
    return tf


def _shape(tensor: Any) -> str:
    return "[" + ", ".join("N" if size is None else str(size) for size in tensor.shape) + "]"
