"""The pipeline's parameters: described, read from texts, and checked before anything starts.

The hyperparameters are one struct in the spec. People give them by name, like every other
parameter: ``-p learning_rate=0.06`` finds its place in the struct.
"""

import dataclasses
import difflib
import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.redaction import one_line
from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
from pipeline.errors import UsageError
from pipeline.specs import checks, dataset
from pipeline.specs.spec import Spec, declared, has_all_steps

STRUCT: Final = checks.STRUCT
SET_BY_COMMANDS: Final = ("bucket_uri", "git_revision")
EXACT: Final = 10**15
"""A spec's numbers are floating-point, which have whole numbers of up to 15 digits exactly."""
KINDS: Final[dict[str, tuple[str, type]]] = {
    "STRING": ("text", str),
    "NUMBER_INTEGER": ("a whole number, with at most 15 digits", int),
    "NUMBER_DOUBLE": ("a number", float),
    "BOOLEAN": ("true or false", bool),
    "LIST": ("a JSON list, as in [16, 32]", list),
    "STRUCT": ('a JSON object, as in {"name": "value"}', dict),
}
"""What a parameter takes in words, and its Python type, by the spec's name of the type."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter as people see it.

    Attributes:
        type: The spec's name of its type, as ``NUMBER_INTEGER``.
        default: None where there is none.
        description: What it is, with names in backquotes.
        is_hyperparameter: Whether it is a value of the struct.
    """

    name: str
    type: str
    required: bool
    default: Any
    description: str
    is_hyperparameter: bool = False

    @property
    def text(self) -> str:
        """The default as people would type it."""
        if self.name in SET_BY_COMMANDS:
            return "(set by run)"
        if self.default is None:
            return "(required)" if self.required else "(not set)"
        return as_text(self.default)

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {**dataclasses.asdict(self), "kind": KINDS[self.type][0].partition(",")[0]}


def describe(spec: Spec) -> list[Parameter]:
    """All parameters of a pipeline by name, with each hyperparameter in place of the struct."""
    return sorted(_known(spec).values(), key=lambda parameter: parameter.name)


def parse(assignments: Iterable[str], spec: Spec) -> dict[str, Any]:
    """Values of ``name=value`` assignments, in the spec's types; lists and structs are JSON.

    Raises:
        UsageError: An assignment has no ``=``, an unknown name, or a value of another type.
    """
    kinds = _kinds(spec)
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or "://" in name:
            raise UsageError(f"-p {one_line(assignment)}: give a parameter as name=value")
        if name not in kinds:
            raise UsageError(unknown("the pipeline", name, _known(spec)))
        try:
            values[name] = _value(_read(text, kinds[name]), kinds[name])
        except ValueError:
            expected = KINDS[kinds[name]][0]
            raise UsageError(f"-p {name}={one_line(text)}: {name} takes {expected}") from None
    return values


def from_options(
    assignments: Iterable[str] | None, source: str | None, description: Path | None, spec: Spec
) -> dict[str, Any]:
    """Values of the options ``-p``, ``--source`` and ``--dataset``; None: not given.

    Raises:
        UsageError: As ``parse``, or the file of the description cannot be used.
    """
    values = parse(assignments or (), spec)
    if source is not None:
        values["source"] = source
    if description is not None:
        values[dataset.PARAMETER] = dataset.read(description)
    return values


def resolve(
    spec: Spec,
    given: Mapping[str, Any],
    *,
    preset: str | None = None,
    own: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A checked value for each parameter of a pipeline.

    Hyperparameters are given by their own names, as a struct, or both. ``own`` has values that
    the command sets where the spec declares them and they are not given.

    Raises:
        UsageError: A name is unknown, a value has another type or is out of range, a required
            value is missing, or the spec is that of a step, which reads artifacts.
    """
    if artifacts := spec["root"].get("inputDefinitions", {}).get("artifacts"):
        raise UsageError(
            f"the spec is of a step that reads {', '.join(artifacts)}: run the whole pipeline, or "
            "rerun the step on the outputs of a run in a notebook (make notebook)"
        )
    known, kinds = _known(spec), _kinds(spec)
    for name in given:
        if name not in kinds:
            raise UsageError(unknown("the pipeline", name, known))
    if preset is not None and STRUCT not in kinds:
        raise UsageError(f"--preset {preset}: the pipeline has no parameter {STRUCT!r}")
    values = {name: _typed(name, value, kinds[name]) for name, value in given.items()}
    values = dataset.completed(values, spec)
    struct = _declared_in_struct({**_preset(preset), **values.pop(STRUCT, {})}, spec)
    defaults = {name: one.default for name, one in known.items() if one.default is not None}
    own = {name: value for name, value in (own or {}).items() if name in known}
    chosen = {**defaults, **own, **values}
    if missing := [name for name, one in known.items() if one.required and name not in chosen]:
        raise UsageError(f"give a value for {', '.join(missing)}, as in -p {missing[0]}=VALUE")

    def some(source: Mapping[str, Any], *, hyper: bool) -> dict[str, Any]:
        return {name: source[name] for name in source if known[name].is_hyperparameter is hyper}

    arguments = some(chosen, hyper=False)
    struct = some(defaults, hyper=True) | struct | some(values, hyper=True)
    if STRUCT in kinds and (struct or not declared(spec)[STRUCT].get("isOptional")):
        arguments[STRUCT] = struct
    return checks.check(arguments, spec)


def flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with each hyperparameter under its own name."""
    rest = {name: value for name, value in arguments.items() if name != STRUCT}
    return {**rest, **arguments.get(STRUCT, {})}


def changed(arguments: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """The spec's default of each optional parameter that has another value; flat."""
    values = flat(arguments)
    return {
        one.name: one.default
        for one in _known(spec).values()
        if not one.required and values.get(one.name, one.default) != one.default
    }


def options(values: Mapping[str, Any], changed: Iterable[str]) -> str:
    """The options of ``run`` and ``submit`` that give the same values.

    ``-p learning_rate=0.06 -p 'filters=[16, 32, 64]'``. The values are flat; ``changed`` names
    those that are not the defaults.
    """
    names = sorted(set(changed) - set(SET_BY_COMMANDS))
    if dataset.PARAMETER in names and values[dataset.PARAMETER] == dataset.beside(values["source"]):
        names.remove(dataset.PARAMETER)
    return " ".join(f"-p {shlex.quote(f'{name}={as_text(values[name])}')}" for name in names)


def as_text(value: Any) -> str:
    """A value as people type it: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _typed(name: str, value: Any, kind: str) -> Any:
    try:
        return _value(value, kind)
    except ValueError:
        raise UsageError(f"{name}={value!r}: {name} takes {KINDS[kind][0]}") from None


def unknown(owner: str, name: str, known: Iterable[str]) -> str:
    """What to say about a name that does not exist: the nearest one, or all."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
    return f"{owner} has no parameter {name!r}; {hint}"


def _known(spec: Spec) -> dict[str, Parameter]:
    """Every parameter by name, with each hyperparameter in place of the struct."""
    known = {}
    for name, definition in declared(spec).items():
        kind, default = definition["parameterType"], definition.get("defaultValue")
        if name != STRUCT:
            description = " ".join(definition.get("description", "").replace("``", "`").split())
            default = default if default is None else _value(default, kind)
            required = default is None and not definition.get("isOptional")
            known[name] = Parameter(name, kind, required, default, description)
    kinds = {python: kind for kind, (_, python) in KINDS.items()}
    fields = {field.name: field for field in dataclasses.fields(Hyperparameters)}
    for name, default in (declared(spec).get(STRUCT, {}).get("defaultValue") or {}).items():
        # The spec's JSON has no integers.
        is_whole = name in fields and type(fields[name].default) is int
        kind = "NUMBER_INTEGER" if is_whole else kinds[type(default)]
        about = fields[name].metadata["help"] if name in fields else ""
        known[name] = Parameter(name, kind, False, _value(default, kind), about, True)
    return known


def _kinds(spec: Spec) -> dict[str, str]:
    """The type of everything that can be given: each parameter, and the struct."""
    kinds = {name: one.type for name, one in _known(spec).items()}
    return {**kinds, STRUCT: "STRUCT"} if STRUCT in declared(spec) else kinds


def _declared_in_struct(given: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """Values for the struct, if the spec has such hyperparameters; another pipeline takes any."""
    known = [name for name, one in _known(spec).items() if one.is_hyperparameter]
    for name in given if has_all_steps(spec) else ():
        if name not in known:
            raise UsageError(unknown(STRUCT, name, known))
    return given


def _preset(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    if name not in PRESETS:
        *first, last = sorted(PRESETS)
        raise UsageError(
            f"--preset {name}: there is no such preset; choose {', '.join(first)} or {last}"
        )
    return PRESETS[name]


def _read(text: str, kind: str) -> Any:
    if kind == "STRING":
        return text
    if kind.startswith("NUMBER"):
        return float(text)
    return json.loads(text.lower() if kind == "BOOLEAN" else text)


def _value(value: Any, kind: str) -> Any:
    """A JSON value in a type of the spec, in which whole floats become integers."""
    python: Any = KINDS[kind][1]
    if python in (int, float):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not -sys.float_info.max <= value <= sys.float_info.max:
            raise ValueError(value)
        if python is int and (abs(value) >= EXACT or value != int(value)):
            raise ValueError(value)
        return python(value)
    value = list(value) if isinstance(value, tuple) else value
    if not isinstance(value, python):
        raise ValueError(value)
    # NaN and infinity are not JSON, though Python reads them.
    json.dumps(value, allow_nan=False)
    if python is not list:
        return value
    return [int(x) if isinstance(x, float) and x.is_integer() else x for x in value]
