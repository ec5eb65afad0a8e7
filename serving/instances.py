"""The body of a request as the tensor that a signature takes."""

import base64
import contextlib
import dataclasses
import json
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

import numpy as np
import orjson

from components.dataset.errors import StepError
from serving.photos import readable

MAX_INSTANCES: Final = 1024
ENCODED: Final = "b64"
"""The key that marks bytes in JSON, as in TensorFlow Serving and Vertex AI."""


class RequestError(StepError):
    """A request that cannot be answered; its text is one line for the one who sent it."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Query:
    """What a request asks.

    Attributes:
        instances: As JSON has them, at most ``MAX_INSTANCES``.
        signature: The name of a signature; None: the one that takes such instances.
        may_hold_bools: Whether true or false may be among the numbers.
    """

    instances: list[Any]
    signature: str | None
    may_hold_bools: bool


def parse(body: bytes | bytearray) -> Query:
    """Reads ``{"instances": […], "signature_name": "…"}``; other keys are ignored.

    Raises:
        RequestError: The body is something else.
    """
    request = _read(body)
    if not isinstance(request, dict) or not isinstance(request.get("instances"), list):
        raise RequestError('the body must be {"instances": […]}')
    if (count := len(request["instances"])) > MAX_INSTANCES:
        raise RequestError(f"{count:,} instances, and at most {MAX_INSTANCES:,} are taken")
    may_hold_bools = b"true" in body or b"false" in body
    return Query(request["instances"], request.get("signature_name"), may_hold_bools)


def _read(body: bytes | bytearray) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # JSON has no NaN, but some clients write it; read it, so that the instance can be named.
        if b"NaN" in body or b"Infinity" in body:
            with contextlib.suppress(ValueError, RecursionError):
                return json.loads(body)
        raise RequestError(f"the body is not JSON ({error})") from error


def tensor(query: Query, name: str, shape: tuple[int, ...] | None) -> Any:
    """The input ``name`` of all instances.

    An instance is an object with the input's name, or its value alone.

    Args:
        query: The request.
        name: The input.
        shape: Of one instance's numbers, from 0 to 255; None: each is the bytes of a picture.

    Returns:
        uint8 [N, …], or an array of N files that TensorFlow decodes.

    Raises:
        RequestError: An instance is not what the signature takes; it is named, counted from 0.
    """
    values = []
    for number, instance in enumerate(query.instances):
        try:
            value = _value(instance, name)
            if shape is None:
                values.append(_picture(value, name))
            else:
                values.append(_pixels(value, name, shape, query.may_hold_bools))
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
        # Some programs break the lines.
        text = "".join(value[ENCODED].split()) if "\n" in value[ENCODED] else value[ENCODED]
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RequestError(f"{name} is not valid base64 ({error})") from error
    return readable(data)


def _pixels(value: Any, name: str, shape: tuple[int, ...], may_hold_bools: bool) -> Any:
    if not may_hold_bools:
        try:
            return np.frombuffer(_packed(value, shape), np.uint8).reshape(shape)
        except (TypeError, ValueError):
            pass  # 1.0 is fine as well; for the rest, what is wrong is found below.
    wanted = f"{name} must be {_times(shape)} whole numbers from 0 to 255"
    try:
        array = np.asarray(value)
    except ValueError as error:
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
    if (faulty := ~((array >= 0) & (array <= 255) & (array == np.floor(array)))).any():
        raise RequestError(f"{wanted}, and {array[faulty][0]} is in it")
    return array


def _packed(value: Any, shape: tuple[int, ...]) -> bytes:
    """Nested lists of whole numbers from 0 to 255 as bytes, three times as fast as NumPy."""
    if type(value) is not list or len(value) != shape[0]:
        raise TypeError
    if len(shape) == 1:
        return bytes(value)
    return b"".join([_packed(each, shape[1:]) for each in value])


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
