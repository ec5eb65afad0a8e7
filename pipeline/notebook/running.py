"""Runs the pipeline, or one of its steps again, from a cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.train.trainer.hyperparameters import Hyperparameters
from pipeline.checkout import git_revision
from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.notebook import steps
from pipeline.notebook.artifacts import Artifact, artifact, is_local
from pipeline.notebook.freshness import check_compiled
from pipeline.notebook.lines import watch
from pipeline.notebook.past_run import NoRunError, PastRun, load_run, newest
from pipeline.notebook.place import place
from pipeline.notebook.values import typed
from pipeline.specs import parameters
from pipeline.specs import spec as specs


def last_run(*, or_start: str | None = None, root: Path | None = None) -> PastRun:
    """The newest run of the whole pipeline on this machine that ended well.

    Args:
        or_start: The preset to run the pipeline with where there is no run yet; None: that is an
            error.
        root: The folder that holds all that is local.

    Raises:
        NoRunError: There is none yet.
        StepFailed: The run that was started failed.
    """
    found = newest(place(root))
    if found is not None:
        return found
    if or_start is None:
        raise NoRunError(
            f"no run has ended under {place(root).path} yet: start one with "
            'last_run(or_start="fast"), which takes a minute or two, or with `make run`'
        )
    return run_pipeline(or_start, root=root)


def run_pipeline(preset: str | None = None, *, root: Path | None = None, **values: Any) -> PastRun:
    """Runs the whole pipeline on this machine, as ``fashion-mnist run`` does.

    Args:
        preset: A set of hyperparameters to start from: ``tutorial``, ``fast`` or ``best``.
        root: The folder that holds all that is local.
        **values: Parameters of the pipeline.

    Raises:
        UsageError: A parameter that the pipeline does not have, or of another type.
        StepFailed: A step failed.
    """
    spec = specs.load(local.DEFAULT_SPEC)
    own = {"bucket_uri": local.BUCKET_URI, "git_revision": git_revision()}
    given = {**values, "source": local.check_source(values.get("source", ""))}
    arguments = parameters.resolve(spec, given, preset=preset, own=own)
    check_compiled()
    done = local.run(spec, arguments, place(root), watch)
    return load_run(done.id, root=root)


def rerun(run: PastRun, step: str, **changes: Any) -> PastRun:
    """Runs one step again, by itself, on the outputs of an earlier run.

    The step is the compiled one, run as ``fashion-mnist run`` does; the earlier run and the cache
    stay as they are.

    Args:
        run: The earlier run, of this machine or from ``job_run``.
        step: ``ingest``, ``decode``, ``train``, ``find_champion``, ``evaluate`` or ``upload``.
        **changes: Parameters of the step that are to differ from the earlier run's; an artifact
            in place of one that the step would read.

    Returns:
        The earlier run with the step's new outputs, without those of the steps that depend on
        them. Its folder under ``runs/`` is its own.

    Raises:
        UsageError: There is no such step or parameter, or a value is of another type.
        NoRunError: An output that the step reads is not there, or the gate refused the model.
        ArtifactError: A file of it is gone.
        StepFailed: The step failed.
    """
    name = steps.checked(step)
    interface = steps.interface(name)
    if parameters.STRUCT in interface.parameters:
        own = {key: changes.pop(key) for key in list(changes) if key in Hyperparameters().as_dict()}
        before = run.parameters.get(parameters.STRUCT, {})
        chosen = parameters.check({parameters.STRUCT: {**before, **own}})
        changes.setdefault(parameters.STRUCT, chosen[parameters.STRUCT])
    interface.check_names(changes)
    values = _parameters(interface, run, changes)
    artifacts = {key: _artifact(name, key, run, changes) for key in interface.artifacts}
    _pass_gate(name, run)
    check_compiled()
    spec = steps.alone(name, artifacts, values)
    used = {**run.parameters, **{key: values[key] for key in values if key in run.parameters}}
    root = place(run.root)
    result = local.run(spec, {}, root, watch, local.Options(earlier=run.id, parameters=used))
    done = load_run(result.id, root=run.root)
    return run.followed_by(done.id, used, {name: done.steps.get(name, {})})


def _parameters(
    interface: steps.Interface, run: PastRun, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """A value for each parameter of a step that has one; the others keep the step's defaults."""
    # These are of this machine and this checkout, whatever the earlier run's were.
    own = {
        "bucket_uri": local.BUCKET_URI,
        "git_revision": git_revision(),
        "project": "local",
        "location": "local",
    }
    values: dict[str, Any] = {}
    for name, definition in interface.parameters.items():
        source = steps.source_of(interface.step, name)
        if name in changes:
            value = changes[name]
        elif name in own:
            value = own[name]
        elif source:
            value = _output(interface.step, run, *source)
        elif name in run.parameters:
            value = run.parameters[name]
        elif definition.get("isOptional"):
            continue
        else:
            raise UsageError(f"{interface.step} needs a value for {name!r}; give it to rerun")
        values[name] = typed(name, value, definition["parameterType"])
    return values


def _artifact(step: str, name: str, run: PastRun, changes: Mapping[str, Any]) -> Artifact:
    """An input artifact, with the URI at which the step can read it."""
    if name in changes:
        found = changes[name]
        if not isinstance(found, Artifact):
            found = artifact(found, root=run.root)
    else:
        source = steps.source_of(step, name)
        found = _output(step, run, *source) if source else None
    metadata = dict(found.metadata)
    if name == "champion" and name in changes:
        # Without a version, evaluate takes it for no champion at all.
        metadata.setdefault("version", found.run or found.uri)
    where = found.uri if _not_a_file(name, found.uri, metadata) else str(found.path)
    return Artifact(where, metadata, found.kind, found.run, run.root)


def _not_a_file(name: str, uri: str, metadata: Mapping[str, Any]) -> bool:
    """Whether a step reads an input otherwise than as a file of this machine."""
    streamed = name == "raw" and is_local(uri)
    no_champion = name == "champion" and not metadata.get("version")
    return streamed or no_champion or name == "parent"


def _output(step: str, run: PastRun, source: str, name: str) -> Any:
    outputs = run.steps.get(source, {})
    if name not in outputs:
        raise NoRunError(
            f"{step} reads {name!r} of {source}, which {run.id} does not have; "
            f"rerun(run, {source!r}) makes it"
        )
    return outputs[name]


def _pass_gate(step: str, run: PastRun) -> None:
    if step == "upload" and not run.steps.get("evaluate", {}).get("Output"):
        raise NoRunError(
            f"the gate refused this model: {run.verdict} Unless it is the champion itself, "
            'rerun(run, "evaluate", min_accuracy=0, min_improvement=-1) accepts it all the same'
        )
