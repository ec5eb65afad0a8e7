"""A SavedModel that answers requests by its signatures."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from components.dataset.errors import StepError
from serving.instances import ENCODED, Query, RequestError, named, tensor
from serving.labels import SAVED_MODEL, class_names, description
from serving.photos import DAMAGED

DEFAULT: Final = "serving_default"
PREFERRED: Final = (DEFAULT, "serving_bytes")
"""Signatures that come first where several take what a request has."""
WARM_UP: Final = (1, 32)
"""Sizes of the batches that each signature answers before the first request."""
PHOTO: Final = (32, 32, 3)
"""The form of the photo that it answers about then."""


class ModelError(StepError):
    """A model that cannot be served."""


@dataclasses.dataclass(frozen=True)
class Signature:
    """A signature with one input.

    Attributes:
        name: Its name.
        function: Takes the input by its name; gives the outputs by name.
        input: The input's name.
        shape: Of one instance, uint8; None: an instance is the bytes of a picture.
    """

    name: str
    function: Callable[..., Any]
    input: str
    shape: tuple[int, ...] | None

    def __call__(self, batch: Any) -> dict[str, Any]:
        """The outputs for a batch, as arrays [N, …]."""
        dtype = tf.string if self.shape is None else tf.uint8
        outputs = self.function(**{self.input: tf.constant(batch, dtype)})
        return {name: output.numpy() for name, output in outputs.items()}

    def one_by_one(self, pictures: Sequence[bytes]) -> Iterator[dict[str, Any] | None]:
        """The outputs for each picture by itself, [1, …]; None for one that TensorFlow refuses.

        TensorFlow refuses a batch without saying which of its pictures is at fault.
        """
        for one in pictures:
            try:
                yield self([one])
            except tf.errors.InvalidArgumentError:
                yield None


class Model:
    """A SavedModel in memory.

    Attributes:
        signatures: By name.
        description: What it was trained on; None if its folder does not say so.
        labels: The names of its classes, known when it is warm.
    """

    def __init__(self, folder: Path) -> None:
        """Loads it.

        Raises:
            ModelError: The folder holds no SavedModel, or one with other signatures.
            DataError: Its ``dataset.json`` is damaged.
        """
        if not (folder / SAVED_MODEL).is_file():
            raise ModelError(f"{folder} holds no {SAVED_MODEL}")
        self.description = description(folder)
        self._loaded = tf.saved_model.load(str(folder))
        found = [_signature(name, each) for name, each in self._loaded.signatures.items()]
        found.sort(key=lambda each: PREFERRED.index(each.name) if each.name in PREFERRED else 9)
        self.signatures = {each.name: each for each in found}
        self.labels: list[str] = []
        self._folder = folder

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the pictures that the network takes: (height, width), in colour with 3; or empty."""
        default = self.signatures.get(DEFAULT)
        return (default and default.shape) or ()

    def warm_up(self) -> None:
        """Lets each signature answer once for each usual size of a batch; its files may go then."""
        picture = tf.io.encode_png(tf.cast(tf.random.uniform(PHOTO, maxval=256), tf.uint8))
        for signature in self.signatures.values():
            for size in WARM_UP:
                if signature.shape is None:
                    signature(tf.repeat(picture, size))
                else:
                    signature(tf.zeros([size, *signature.shape], tf.uint8))
        self.labels = _labels(self._folder, self.signatures.get(DEFAULT))

    def answer(self, query: Query) -> list[Any]:
        """The predictions for the instances of a request.

        Returns:
            For each instance its outputs by name; the output itself where there is only one, as
            TensorFlow Serving does.

        Raises:
            RequestError: The request is wrong; the text names the instance.
        """
        signature = self._choose(query.signature, query.instances)
        if not query.instances:
            return []
        batch = tensor(query, signature.input, signature.shape)
        try:
            outputs = signature(batch)
        except tf.errors.InvalidArgumentError:
            for number, found in enumerate(signature.one_by_one(batch)):
                if found is None:
                    raise RequestError(f"instance {number}: {DAMAGED}") from None
            raise
        columns = {name: _plain(output) for name, output in outputs.items()}
        if len(columns) == 1:
            return next(iter(columns.values()))
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _choose(self, name: Any, instances: Sequence[Any]) -> Signature:
        """The signature by its name; without one, the first with the input of the instances."""
        if name is not None:
            if not isinstance(name, str) or name not in self.signatures:
                names = ", ".join(self.signatures)
                raise RequestError(f"signature_name is {str(name)[:40]!r}; the model has {names}")
            return self.signatures[name]
        first = instances[0] if instances else None
        keys = first.keys() if isinstance(first, dict) else set()
        for signature in self.signatures.values():
            if keys == {signature.input} or (keys == {ENCODED} and signature.shape is None):
                return signature
        if keys:
            inputs = " or ".join(dict.fromkeys(f'"{s.input}"' for s in self.signatures.values()))
            raise RequestError(f"instance 0: expected the key {inputs}, found {named(keys)}")
        return self.signatures.get(DEFAULT) or next(iter(self.signatures.values()))


def _labels(folder: Path, signature: Signature | None) -> list[str]:
    if signature is None or signature.shape is None:
        return []
    noise = tf.random.uniform([1, *signature.shape], maxval=256, dtype=tf.int32)
    outputs = signature(tf.cast(noise, tf.uint8))
    if "probabilities" not in outputs:
        return []
    answered = {}
    if {"class_id", "label"} <= outputs.keys():
        answered = {int(outputs["class_id"][0]): outputs["label"][0].decode()}
    return class_names(folder, outputs["probabilities"].shape[1], answered)


def _signature(name: str, function: Any) -> Signature:
    inputs = function.structured_input_signature[1]
    if len(inputs) == 1:
        ((key, spec),) = inputs.items()
        if spec.dtype == tf.string:
            return Signature(name, function, key, None)
        if spec.dtype == tf.uint8:
            return Signature(name, function, key, tuple(spec.shape[1:]))
    raise ModelError(f"the signature {name} must have one input, of uint8 or of strings")


def _plain(output: Any) -> list[Any]:
    """The rows of an output, each as an array or, of strings, as text."""
    return [value.decode() for value in output] if output.dtype == object else list(output)
