"""Which output feeds which input, read from the compiled pipeline; and a step by itself."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import yaml

from pipeline import compiler
from pipeline.compiler import COMPILED, NAME, PIPELINE
from pipeline.notebook.artifacts import Artifact
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec


@dataclasses.dataclass(frozen=True)
class Source:
    """Where an input of a step comes from.

    Attributes:
        step: The step whose output it is; empty for a parameter or a constant.
        name: The output, or the parameter of the pipeline; empty for a constant.
    """

    step: str = ""
    name: str = ""
    constant: Any = None

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter of the pipeline."""
        return bool(self.name) and not self.step


@dataclasses.dataclass
class Wired:
    """A step as the pipeline uses it: where its inputs come from, and the types of artifacts."""

    sources: dict[str, Source]
    artifacts: dict[str, str]


@functools.cache
def wiring() -> dict[str, Wired]:
    """The steps of the compiled pipeline by name."""
    found: dict[str, Wired] = {}
    spec = specs.load(COMPILED / PIPELINE)
    parameters = {name: Source(name=name) for name in specs.declared(spec)}
    _walk(spec, spec["root"], parameters, found)
    return found


def dependents(step: str) -> set[str]:
    """The steps that read what a step made, directly or through others."""
    direct = {
        name
        for name, wired in wiring().items()
        if step in {source.step for source in wired.sources.values()}
    }
    return direct.union(*(dependents(name) for name in direct))


def alone(step: str, artifacts: Mapping[str, Artifact], parameters: Mapping[str, Any]) -> Spec:
    """The spec of a pipeline of one compiled step, with the values of its inputs by name."""
    from kfp import components, dsl

    path = COMPILED / "components" / f"{step}.yaml"
    component = components.load_component_from_text(path.read_text())
    kinds = {
        name: type("Imported", (dsl.Artifact,), {"schema_title": kind, "schema_version": "0.0.1"})
        for name, kind in wiring()[step].artifacts.items()
    }

    def one_step() -> None:
        imported = {
            name: dsl.importer(
                artifact_uri=artifact.uri,
                artifact_class=kinds[name],
                metadata=artifact.metadata,
            ).output
            for name, artifact in artifacts.items()
        }
        component(**imported, **parameters)

    target = dsl.pipeline(one_step, name=f"{NAME}-{step.replace('_', '-')}")
    spec: Spec = yaml.safe_load(compiler.compile_one(target))
    return spec


def _walk(spec: Spec, dag: Spec, inputs: Mapping[str, Source], found: dict[str, Wired]) -> None:
    """Collects the steps of a DAG, whose own inputs come from ``inputs``, and of DAGs in it."""
    for task in dag["dag"]["tasks"].values():
        reference = task["componentRef"]["name"]
        component = spec["components"][reference]
        given = task.get("inputs", {})
        sources = {
            name: _source(value, inputs)
            for name, value in {**given.get("artifacts", {}), **given.get("parameters", {})}.items()
        }
        step = reference.removeprefix("comp-").replace("-", "_")
        if step in specs.NAMES:
            artifacts = component.get("inputDefinitions", {}).get("artifacts", {})
            kinds = {name: own["artifactType"]["schemaTitle"] for name, own in artifacts.items()}
            found[step] = Wired(sources, kinds)
        elif "dag" in component:
            _walk(spec, component, sources, found)


def _source(value: Spec, inputs: Mapping[str, Source]) -> Source:
    (kind, content), *_ = value.items()
    if kind in ("taskOutputArtifact", "taskOutputParameter"):
        output = content.get("outputArtifactKey") or content["outputParameterKey"]
        return Source(content["producerTask"].replace("-", "_"), output)
    if kind in ("componentInputArtifact", "componentInputParameter"):
        return inputs[content]
    return Source(constant=content["constant"])
