"""What people see of an answer: the names of the classes, and whether the model is sure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from components.dataset.description import NAME, Description

SAVED_MODEL: Final = "saved_model.pb"
SURE: Final = 0.5
"""Probability of the most likely class from which on an answer is sure."""
NOTHING: Final = "no subject stands out from the background, or all of it is black"
"""Said of a picture in which a model finds nothing."""


def description(directory: Path) -> Description | None:
    """What a model was trained on; None if its directory does not say so.

    Raises:
        DataError: Its ``dataset.json`` is damaged.
    """
    return Description.read(directory) if (directory / NAME).is_file() else None


def expected(about: Description | None) -> str:
    """What a model can answer about, for the end of a sentence."""
    if about is None:
        return "a picture like the ones it was trained on"
    if about.preparation == "subject":
        return f"one subject, whole, upright, on a plain background, as in {about.name}"
    return f"a picture like the ones in {about.name}"


def class_names(directory: Path, classes: int, answered: Mapping[int, str]) -> list[str]:
    """A name for each class of a SavedModel that has loaded.

    Its ``dataset.json`` has them. In a model without one, a signature answers with the name of the
    most likely class alone. All of them are a constant of its graph: the one that agrees with what
    it ``answered``, its labels by class. A class that the model does not name is ``class 3``.

    Raises:
        DataError: Its ``dataset.json`` is damaged.
    """
    about = description(directory)
    if about is not None and len(about.classes) == classes:
        return list(about.classes)
    for names in _texts(directory, classes) if answered else ():
        if all(names[number] == label for number, label in answered.items()):
            return names
    return [answered.get(number, f"class {number}") for number in range(classes)]


def _texts(directory: Path, length: int) -> Iterator[list[str]]:
    """The constants of a SavedModel that are ``length`` texts, or one more for no class."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((directory / SAVED_MODEL).read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    for node in nodes:
        if node.op == "Const" and node.attr["dtype"].type == tf.string.as_datatype_enum:
            texts = tf.make_ndarray(node.attr["value"].tensor)
            if texts.shape in ((length,), (length + 1,)):
                yield [text.decode(errors="replace") for text in texts.tolist()[:length]]
