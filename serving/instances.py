"""The instances of a request as the tensor that a signature takes."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from components.dataset.errors import StepError

ENCODED: Final = "b64"
"""The key that marks bytes in JSON, as in TensorFlow Serving and Vertex AI."""


class RequestError(StepError):
    """A request that cannot be answered; its text is one line for the one who sent it."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def tensor(instances: Sequence[Any], name: str, shape: tuple[int, ...] | None) -> Any:
    """The input ``name`` of all instances.

    An instance is an object with the input's name, or its value alone.

    Args:
        instances: As they stand in the request.
        name: The input.
        shape: Of one instance's numbers, from 0 to 255; None: each is the bytes of a picture.

    Returns:
        uint8 [N, …], or an array of N bytes.

    Raises:
        RequestError: An instance is not what the signature takes; it is named, counted from 0.
    """
    values = []
    for number, instance in enumerate(instances):
        try:
            value = _value(instance, name)
            values.append(_picture(value, name) if shape is None else _numbers(value, name, shape))
        except StepError as error:
            raise RequestError(f"instance {number}: {error}") from error
    return np.array(values, dtype=object if shape is None else np.uint8)


def named(keys: Iterable[str]) -> str:
    """The first keys of an object, for a message."""
    return ", ".join(f'"{key[:40]}"' for key in list(keys)[:5]) or "none"


def _value(instance: Any, name: str) -> Any:
    if not isinstance(instance, dict) or instance.keys() == {ENCODED}:
        return instance
    if instance.keys() != {name}:
        raise RequestError(f'expected the key "{name}", found {named(instance)}')
    return instance[name]


def _picture(value: Any, name: str) -> bytes:
    if not isinstance(value, dict) or not isinstance(value.get(ENCODED), str) or len(value) > 1:
        raise RequestError(f'{name} must be {{"{ENCODED}": "…"}}, an image file in base64')
    try:
        return base64.b64decode(value[ENCODED], validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{name} is not valid base64 ({error})") from error


def _numbers(value: Any, name: str, shape: tuple[int, ...]) -> Any:
    wanted = f"{name} must be {_times(shape)} whole numbers from 0 to 255"
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError) as error:
        raise RequestError(f"{wanted}, and its rows differ in length") from error
    if array.shape != shape:
        has = f"has the shape {_times(array.shape)}" if array.shape else "is no list"
        raise RequestError(f"{wanted}, and it {has}")
    elements = value
    for _ in shape[1:]:
        elements = chain.from_iterable(elements)
    # NumPy would take true for 1.
    if not set(map(type, elements)) <= {int, float}:
        raise RequestError(f"{wanted}, and something in it is no number")
    if array.dtype.kind == "u" or not (faulty := _faulty(array)).any():
        return array
    raise RequestError(f"{wanted}, and {array[faulty][0]} is in it")


def _faulty(array: Any) -> Any:
    """Where an array holds what is no uint8, NaN and infinity included."""
    if array.dtype.kind != "f":
        return (array < 0) | (array > 255)
    with np.errstate(invalid="ignore"):
        return ~((array >= 0) & (array <= 255) & (array == np.floor(array)))


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
