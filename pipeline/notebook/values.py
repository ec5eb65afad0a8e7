"""Values of parameters as a cell gives them, checked before anything starts."""

import difflib
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.specs.spec import Spec


def all_typed(
    owner: str, values: Mapping[str, Any], declared: Mapping[str, Spec]
) -> dict[str, Any]:
    """Values in the types that the spec declares.

    Args:
        owner: Whose parameters they are, for the error.
        values: As they were given.
        declared: The spec's definitions.

    Raises:
        UsageError: There is no such parameter, or the value is of another type.
    """
    for name in values:
        if name not in declared:
            raise UsageError(f"{owner} has no parameter {name!r}; {near(name, declared)}")
    return {
        name: typed(name, value, declared[name]["parameterType"]) for name, value in values.items()
    }


def near(name: str, known: Iterable[str]) -> str:
    """What a person may have meant: the nearest of the known names, else all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(names)}"


def typed(name: str, value: Any, kind: str) -> Any:
    """A value in the type that the spec declares.

    Args:
        name: The parameter, for the error.
        value: As it was given; whole numbers that came as floats out of JSON become integers.
        kind: The spec's name of the type.

    Raises:
        UsageError: The value is of another type.
    """
    expected, convert = TYPES[kind]
    converted = convert(value)
    if converted is None:
        raise UsageError(f"{name}={value!r}: {name} takes {expected}")
    return converted


def _integer(value: Any) -> int | None:
    number = _number(value)
    return int(value) if number is not None and number.is_integer() else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    return float(value) if math.isfinite(value) else None


def _list(value: Any) -> list[Any] | None:
    if not isinstance(value, list | tuple):
        return None
    return [int(x) if isinstance(x, float) and x.is_integer() else x for x in value]


def _as_it_is(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


TYPES: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "STRING": ("text", _as_it_is(str)),
    "NUMBER_INTEGER": ("a whole number", _integer),
    "NUMBER_DOUBLE": ("a number", _number),
    "BOOLEAN": ("True or False", _as_it_is(bool)),
    "LIST": ("a list, as in [16, 32]", _list),
    "STRUCT": ('a dictionary, as in {"name": "value"}', _as_it_is(dict)),
}
