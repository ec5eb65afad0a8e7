"""Pipeline parameters from the command line, checked against the spec before anything starts."""

import dataclasses
import difflib
import json
import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from components.dataset.errors import SourceError
from components.dataset.redaction import one_line
from components.ingest.credentials import refuse_credentials
from components.train.trainer.presets import PRESETS
from pipeline.errors import UsageError
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec

EXACT: Final = 2**53
"""The spec's numbers are floating-point; beyond this one not every integer is among them."""


@dataclasses.dataclass(frozen=True)
class Described:
    """A parameter as a person reads of it.

    Attributes:
        name: Its name.
        kind: What it takes: ``text``, ``a whole number``.
        required: Whether it must be given.
        default: Its value when it is not given; None where it must be.
        description: What it is, with names in backquotes.
    """

    name: str
    kind: str
    required: bool
    default: Any
    description: str

    @property
    def text(self) -> str:
        """The default as it would be given on the command line."""
        return "(required)" if self.required else _text(self.default)

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return dataclasses.asdict(self)


def describe(spec: Spec) -> list[Described]:
    """All parameters of a pipeline, sorted by name."""
    declared = specs.declared(spec)
    return [
        Described(
            name,
            CONVERSIONS[definition["parameterType"]][0].partition(",")[0],
            not definition.get("isOptional"),
            _default(definition),
            " ".join(definition.get("description", "").replace("``", "`").split()),
        )
        for name, definition in sorted(declared.items())
    ]


def parse(assignments: Iterable[str], spec: Spec) -> dict[str, Any]:
    """Typed values of ``name=value`` assignments.

    Args:
        assignments: As given on the command line; lists and structs are JSON.
        spec: The compiled pipeline whose parameters they are.

    Returns:
        The values by name, in the types that the spec declares.

    Raises:
        UsageError: No ``=``, or an address before it; a parameter that the pipeline does not
            have, or a value that is not of its type.
    """
    declared = specs.declared(spec)
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or "://" in name:
            raise UsageError(f"-p {one_line(assignment)}: give a parameter as name=value")
        if name not in declared:
            raise UsageError(_unknown(name, sorted(declared)))
        values[name] = _value(name, text, declared[name]["parameterType"])
    return values


def of_preset(name: str | None) -> dict[str, Any]:
    """The hyperparameters that a preset of the trainer sets; none without a name.

    Raises:
        UsageError: There is no preset of that name.
    """
    if name is None:
        return {}
    if name not in PRESETS:
        raise UsageError(f"--preset {name}: there is no such preset; choose {_list(PRESETS)}")
    values = PRESETS[name].items()
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values}


def known(values: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """Those of the values whose parameters the pipeline has."""
    return {name: value for name, value in values.items() if name in specs.declared(spec)}


def complete(values: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """Every parameter of the pipeline: ``values`` and the defaults of the others.

    Raises:
        UsageError: A parameter without default has no value, a value has no parameter, or the
            spec is that of a step, which reads what others have made.
    """
    declared = specs.declared(spec)
    if artifacts := spec["root"].get("inputDefinitions", {}).get("artifacts"):
        raise UsageError(
            f"the spec is of a step that reads {', '.join(artifacts)}: run the whole pipeline, or "
            "rerun the step on the outputs of a run in a notebook (make notebook)"
        )
    if strange := sorted(values.keys() - declared):
        raise UsageError(_unknown(strange[0], sorted(declared)))
    missing = [
        name
        for name, definition in declared.items()
        if name not in values and not definition.get("isOptional")
    ]
    if missing:
        raise UsageError(f"give a value for {', '.join(missing)}, as in -p {missing[0]}=VALUE")
    return {**{name: _default(definition) for name, definition in declared.items()}, **values}


def changed(values: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """The spec's default of each parameter that has another value; none for a required one."""
    declared = specs.declared(spec)
    defaults = {
        name: _default(definition)
        for name, definition in declared.items()
        if definition.get("isOptional")
    }
    return {name: value for name, value in defaults.items() if values.get(name, value) != value}


def check_address(source: str) -> None:
    """Refuses a source that holds credentials: parameters are kept in plain.

    Raises:
        UsageError: It does; the text does not repeat them.
    """
    try:
        refuse_credentials(source)
    except SourceError as error:
        raise UsageError(str(error)) from error


def _default(definition: Spec) -> Any:
    default = definition.get("defaultValue")
    # The spec's JSON has no integers of its own.
    if definition["parameterType"] == "NUMBER_INTEGER" and default is not None:
        return int(default)
    if definition["parameterType"] == "LIST" and default is not None:
        return [int(x) if isinstance(x, float) and x.is_integer() else x for x in default]
    return default


def _list(names: Iterable[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} or {last}"


def _text(default: Any) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
    return f"the pipeline has no parameter {name!r}; {hint}"


def _value(name: str, text: str, kind: str) -> Any:
    expected, convert = CONVERSIONS[kind]
    try:
        return convert(text)
    except (ValueError, RecursionError):
        raise UsageError(f"-p {name}={one_line(text)}: {name} takes {expected}") from None


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) > EXACT:
        raise ValueError(text)
    return value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _boolean(text: str) -> bool:
    choices = {"true": True, "false": False}
    if text.lower() not in choices:
        raise ValueError(text)
    return choices[text.lower()]


def _json(kind: type) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        # NaN and infinity are no JSON, though Python reads them.
        json.dumps(value, allow_nan=False)
        return value

    return convert


CONVERSIONS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "STRING": ("text", str),
    "NUMBER_INTEGER": ("a whole number", _integer),
    "NUMBER_DOUBLE": ("a number", _number),
    "BOOLEAN": ("true or false", _boolean),
    "LIST": ("a JSON list, as in [16, 32]", _json(list)),
    "STRUCT": ('a JSON object, as in {"name": "value"}', _json(dict)),
}
