"""The pipeline's steps one by one: what each takes and gives, and a pipeline of one step alone."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from pipeline import compiler
from pipeline.definition import NAME
from pipeline.errors import UsageError
from pipeline.notebook.artifacts import Artifact
from pipeline.notebook.values import near
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec

STEPS: Final[tuple[str, ...]] = ("ingest", "decode", "train", "find_champion", "evaluate", "upload")
"""In the order in which the pipeline runs them."""
WIRED: Final = {("upload", "has_parent"): ("find_champion", "Output")}
"""Inputs that are an output of another name; all others have the name of the output they read."""


@dataclasses.dataclass(frozen=True)
class Interface:
    """What a step takes and gives.

    Attributes:
        step: Its name.
        parameters: Definition of each parameter, as the spec has it.
        artifacts: Type of each artifact that it reads, by name.
        outputs: Names of what it gives.
    """

    step: str
    parameters: dict[str, Spec]
    artifacts: dict[str, str]
    outputs: frozenset[str]

    def check_names(self, given: Iterable[str]) -> None:
        """Passes names that the step has.

        Raises:
            UsageError: Names the parameter that it has not, and those that are near.
        """
        known = sorted({*self.parameters, *self.artifacts})
        for name in given:
            if name not in known:
                raise UsageError(f"{self.step} has no parameter {name!r}; {near(name, known)}")


def checked(step: str) -> str:
    """The name of a step, given as the pipeline or as Python writes it.

    Raises:
        UsageError: There is no such step; names those there are.
    """
    name = step.replace("-", "_").replace(" ", "_").lower()
    if name not in STEPS:
        raise UsageError(f"there is no step {step!r}; the steps are {', '.join(STEPS)}")
    return name


def step_of(task: str) -> str:
    """The step that a task of the pipeline belongs to: its own, or the upload."""
    name = task.replace("-", "_")
    return name if name in STEPS else "upload"


@functools.cache
def interface(step: str) -> Interface:
    """What a step takes and gives, as its compiled component says."""
    root = _component(step)["root"]
    inputs, outputs = root.get("inputDefinitions", {}), root.get("outputDefinitions", {})
    artifacts = inputs.get("artifacts", {})
    return Interface(
        step=step,
        parameters=inputs.get("parameters", {}),
        artifacts={name: kind["artifactType"]["schemaTitle"] for name, kind in artifacts.items()},
        outputs=frozenset([*outputs.get("parameters", {}), *outputs.get("artifacts", {})]),
    )


def source_of(step: str, name: str) -> tuple[str, str] | None:
    """Step and name of the output that an input reads; None: it is a parameter of the pipeline."""
    if (step, name) in WIRED:
        return WIRED[step, name]
    if name in interface(step).artifacts:
        return next((other, name) for other in STEPS if name in interface(other).outputs)
    return None


@functools.cache
def depending_on(step: str) -> frozenset[str]:
    """The steps that read what a step gives, directly or through others."""
    direct = {
        other
        for other in STEPS
        for name in [*interface(other).artifacts, *interface(other).parameters]
        if (source := source_of(other, name)) and source[0] == step
    }
    return frozenset(direct.union(*(depending_on(other) for other in direct)))


def alone(step: str, artifacts: Mapping[str, Artifact], parameters: Mapping[str, Any]) -> Spec:
    """The spec of a pipeline of one step: its compiled component, on artifacts that are there.

    Args:
        step: The step.
        artifacts: What it reads, by name; each URI as the step is to see it.
        parameters: A value for each of its parameters.
    """
    from kfp import components, dsl

    component = components.load_component_from_text(yaml.safe_dump(_component(step)))
    kinds = interface(step).artifacts

    def one_step() -> None:
        imported = {
            name: dsl.importer(
                artifact_uri=artifact.uri,
                artifact_class=_artifact_class(kinds[name]),
                metadata=artifact.metadata,
            ).output
            for name, artifact in artifacts.items()
        }
        task = component(**imported, **parameters)
        task.set_display_name(step.replace("_", " ").capitalize())

    target = dsl.pipeline(one_step, name=f"{NAME}-{step.replace('_', '-')}")
    spec: Spec = yaml.safe_load(compiler.compile_one(target))
    return spec


def _component(step: str) -> Spec:
    return specs.load(compiler.COMPILED / "components" / f"{step}.yaml")


def _artifact_class(title: str) -> Any:
    from kfp import dsl

    return type("Imported", (dsl.Artifact,), {"schema_title": title, "schema_version": "0.0.1"})
