"""Runs one step of the pipeline again, by itself, from a cell."""

from collections.abc import Mapping
from typing import Any, Final

from pipeline import steps
from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.notebook import runs, wiring
from pipeline.notebook.artifacts import Artifact, artifact, is_local
from pipeline.notebook.running import check_compiled, own_parameters, watch
from pipeline.runs.record import Run, RunError
from pipeline.specs import parameters
from pipeline.specs import spec as specs

RESOURCES: Final = ("google.VertexModel",)
"""Types of artifacts that no step opens as a file."""


def rerun(run: Run, step: str, **changes: Any) -> Run:
    """Runs one step again, by itself, on the outputs of an earlier run.

    The step is the compiled one, run as ``fashion-mnist run`` does. The earlier run and the cache
    do not change.

    Args:
        run: The earlier run, of this machine or from ``job_run``.
        step: ``ingest``, ``decode``, ``train``, ``find_champion``, ``evaluate`` or ``upload``.
        **changes: Parameters of the step that differ from the earlier run's; an artifact in place
            of one that the step would read.

    Returns:
        The earlier run with the step's new outputs, without the outputs of steps that depend on
        them. It has a folder of its own under ``runs/``.

    Raises:
        UsageError: There is no such step or parameter, or a value is wrong.
        RunError: The earlier run lacks an output that the step reads, or the gate refused its
            model.
        ArtifactError: A file is gone.
        StepFailed: The step failed.
    """
    again = _Again(run, steps.step(step).name, changes)
    arguments = again.arguments()
    if again.name == "upload" and not run.passed:
        raise RunError(
            f"the gate refused this model: {run.reason} Unless it is the champion itself, "
            'rerun(run, "evaluate", min_accuracy=0, min_improvement=-1) accepts it all the same'
        )
    spec = wiring.alone(again.name, again.artifacts(), again.values(arguments))
    check_compiled()
    options = local.Options(use_cache=False, earlier=run.id, parameters=arguments)
    done = local.run(spec, {}, runs.root_of(run), watch, options)
    return runs.following(run, runs.with_files(Run.read(done.directory)))


class _Again:
    """The inputs of a step that runs again.

    Raises:
        UsageError: The step has no input of a name in ``changes``.
    """

    def __init__(self, run: Run, name: str, changes: Mapping[str, Any]) -> None:
        self.run = run
        self.name = name
        self.changes = changes
        self.wired = wiring.wiring()[name]
        self.spec = specs.load(local.DEFAULT_SPEC)
        self.declared = {one.name: one for one in parameters.describe(self.spec)}
        self.hyperparameters = {
            one.name
            for one in self.declared.values()
            if one.is_hyperparameter and parameters.STRUCT in self.wired.sources
        }
        known = {*self.wired.parameters, *self.wired.artifacts, *self.hyperparameters}
        for change in changes:
            if change not in known:
                raise UsageError(parameters.unknown(name, change, known))

    def arguments(self) -> dict[str, Any]:
        """The pipeline's parameters as this run uses them."""
        before = {
            name: value for name, value in self.run.parameters.items() if name in self.declared
        }
        changed = {
            name if name in self.hyperparameters else self.wired.sources[name].name: value
            for name, value in self.changes.items()
            if name in self.hyperparameters or self._is_parameter(name)
        }
        return parameters.resolve(self.spec, {**before, **own_parameters(), **changed})

    def values(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The step's parameters; those that the pipeline does not give keep their defaults."""
        values = {}
        for name, definition in self.wired.parameters.items():
            source = self.wired.sources.get(name, wiring.Source())
            if self._is_parameter(name):
                values[name] = arguments[source.name]
            elif name in self.changes:
                kind = definition["parameterType"]
                values[name] = parameters.typed(name, self.changes[name], kind)
            elif name in self.wired.sources:
                values[name] = self._output(source) if source.step else source.constant
        return values

    def artifacts(self) -> dict[str, Artifact]:
        """What the step reads, each with the address at which it can read it."""
        return {name: self._artifact(name) for name in self.wired.artifacts}

    def _artifact(self, name: str) -> Artifact:
        found = self.changes.get(name) or self._output(self.wired.sources[name])
        if not isinstance(found, Artifact):
            found = artifact(found, root=runs.root_of(self.run).path)
        metadata = dict(found.metadata)
        if name == "champion" and name in self.changes:
            # Without a version it would mean that there is no champion.
            metadata.setdefault("version", found.run or found.uri)
        no_champion = name == "champion" and not metadata.get("version")
        as_it_is = no_champion or is_local(found.uri) or self.wired.artifacts[name] in RESOURCES
        where = found.uri if as_it_is else str(found.path)
        return Artifact(where, metadata, found.kind, found.run, found.root)

    def _is_parameter(self, name: str) -> bool:
        """Whether an input is a parameter of the pipeline."""
        source = self.wired.sources.get(name)
        return source is not None and not source.step and bool(source.name)

    def _output(self, source: wiring.Source) -> Any:
        task = self.run.steps.get(source.step)
        if task is None or source.name not in task.outputs:
            raise RunError(
                f"{self.name} reads {source.name!r} of {source.step}, which {self.run.id} does not "
                f"have; rerun(run, {source.step!r}) makes it"
            )
        return task.outputs[source.name]
