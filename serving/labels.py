"""What people see of an answer: the names of the classes, and whether the model is sure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

SAVED_MODEL: Final = "saved_model.pb"
SURE: Final = 0.5
"""Probability of the most likely class from which on an answer is sure."""
EXPECTED: Final = "one piece of clothing, whole, upright, on a plain background"
"""What a model can answer about."""


def class_names(directory: Path, classes: int, answered: Mapping[int, str]) -> list[str]:
    """A name for each class of a SavedModel that has loaded.

    A signature answers with the name of the most likely class alone. All of them are a constant
    of its graph: the one that agrees with what it ``answered``, its labels by class. A class that
    the model does not name is ``class 3``.
    """
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
