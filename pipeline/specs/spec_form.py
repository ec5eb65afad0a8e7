"""What the commands here rely on in a compiled spec; kfp and Vertex AI look at the rest."""

import json
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

DEFAULTS: Final[Mapping[str, Any]] = {
    "STRING": str,
    "NUMBER_INTEGER": int | float,
    "NUMBER_DOUBLE": int | float,
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}
"""What the default of a parameter is, by the parameter's type."""

Name = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,127}$")]
"""A pipeline's name, as kfp takes it; a run's folder begins with it."""


def _check_order(needed: Mapping[str, Any]) -> None:
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        raise ValueError(f"{error.args[1][0]} waits for itself") from None


class _Form(BaseModel):
    # A default of its own type lets a field be left out and not be null.
    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class _Parameter(_Form):
    parameter_type: Literal[
        "STRING", "NUMBER_INTEGER", "NUMBER_DOUBLE", "BOOLEAN", "LIST", "STRUCT"
    ]
    is_optional: bool = False
    default_value: Any = None
    description: str = ""

    @model_validator(mode="after")
    def _has_a_default_of_its_type(self) -> Self:
        value = self.default_value
        if value is None:
            return self
        kind = DEFAULTS[self.parameter_type]
        if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            raise ValueError(f"its default is no {self.parameter_type}")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError("its default is no JSON") from None
        return self


class _Inputs(_Form):
    parameters: dict[str, _Parameter] = {}


class _Reference(_Form):
    name: str


class _Task(_Form):
    component_ref: _Reference
    task_info: _Reference
    dependent_tasks: list[str] = []


class _Dag(_Form):
    tasks: dict[str, _Task]

    @model_validator(mode="after")
    def _has_an_order(self) -> Self:
        needed = {name: task.dependent_tasks for name, task in self.tasks.items()}
        if unknown := {name for names in needed.values() for name in names} - needed.keys():
            raise ValueError(f"no task is called {min(unknown)}")
        _check_order(needed)
        return self


class _Component(_Form):
    dag: _Dag = _Dag(tasks={})
    executor_label: str = ""


class _Root(_Form):
    dag: _Dag
    input_definitions: _Inputs = _Inputs()


class _Container(_Form):
    image: str
    command: list[str] = []
    args: list[str] = []


class _Executor(_Form):
    container: _Container = _Container(image="")


class _Deployment(_Form):
    executors: dict[str, _Executor]


class _Info(_Form):
    name: Name


class _Spec(_Form):
    pipeline_info: _Info
    root: _Root
    deployment_spec: _Deployment
    components: dict[str, _Component]

    @model_validator(mode="after")
    def _leads_from_the_root_to_executors(self) -> Self:
        inner = {name: _referenced(component.dag) for name, component in self.components.items()}
        for name in set().union(_referenced(self.root.dag), *inner.values()):
            if name not in self.components:
                raise ValueError(f"no component is called {name}")
        _check_order(inner)
        for name, component in self.components.items():
            is_step = "dag" not in component.model_fields_set
            if is_step and component.executor_label not in self.deployment_spec.executors:
                raise ValueError(f"the component {name} has no executor")
        return self


def fault(spec: Any) -> str:
    """What is wrong with a spec, and where; empty where nothing is."""
    try:
        _Spec.model_validate(spec)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
    return ""


def _referenced(dag: _Dag) -> set[str]:
    return {task.component_ref.name for task in dag.tasks.values()}
