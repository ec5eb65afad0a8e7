"""Runs the pipeline, or one of its steps again, from a cell."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline import steps
from pipeline.checkout import git_revision
from pipeline.compiler import COMPILED, PROJECT
from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.notebook import runs, wiring
from pipeline.notebook.artifacts import Artifact, artifact, is_local, place
from pipeline.runs.record import Run, RunError, Task
from pipeline.specs import parameters
from pipeline.specs import spec as specs

UNREAD: Final = ("google.VertexModel",)
"""Types of artifacts that stand for a resource: no step opens them as a file."""
_checked: set[tuple[tuple[str, int], ...]] = set()


def last_run(*, or_start: str | None = None, root: Path | None = None) -> Run:
    """The newest run of the whole pipeline on this machine that succeeded.

    Args:
        or_start: The preset to run the pipeline with if there is no run yet; None: raise an error.
        root: The folder that holds all that is local.

    Raises:
        RunError: There is none yet.
        StepFailed: The run that was started failed.
    """
    if found := runs.newest(root):
        return found
    if or_start is None:
        raise RunError(
            f"no run has ended under {place(root).path} yet: start one with "
            'last_run(or_start="fast"), which takes a minute or two, or with `make run`'
        )
    return run_pipeline(or_start, root=root)


def run_pipeline(preset: str | None = None, *, root: Path | None = None, **values: Any) -> Run:
    """Runs the whole pipeline on this machine, as ``fashion-mnist run`` does.

    Args:
        preset: A set of hyperparameters to start from: ``tutorial``, ``fast`` or ``best``.
        root: The folder that holds all that is local.
        **values: Parameters of the pipeline.

    Raises:
        UsageError: The pipeline has no such parameter, or a value is wrong.
        StepFailed: A step failed.
    """
    spec = specs.load(local.DEFAULT_SPEC)
    given = {**values, "source": local.check_source(values.get("source", ""))}
    arguments = parameters.resolve(spec, given, preset=preset, own=_own())
    check_compiled()
    done = local.run(spec, arguments, place(root), watch)
    return runs.with_files(Run.read(done.directory))


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
    name = steps.step(step).name
    wired = wiring.wiring()[name]
    _check_names(name, wired, changes)
    arguments = _arguments(run, wired, changes)
    if name == "upload" and not run.passed:
        raise RunError(
            f"the gate refused this model: {run.reason} Unless it is the champion itself, "
            'rerun(run, "evaluate", min_accuracy=0, min_improvement=-1) accepts it all the same'
        )
    values = {
        key: _value(name, key, wired, run, arguments, changes)
        for key in wired.parameters
        if key in wired.sources or key in changes
    }
    artifacts = {key: _artifact(name, key, wired, run, changes) for key in wired.artifacts}
    check_compiled()
    spec = wiring.alone(name, artifacts, values)
    options = local.Options(use_cache=False, earlier=run.id, parameters=arguments)
    root = place(run.directory.parents[1])
    done = local.run(spec, {}, root, watch, options)
    return runs.following(run, runs.with_files(Run.read(done.directory)))


def check_compiled() -> None:
    """Accepts committed files that are up to date; repeats the check after each edit.

    The check is another process: this one keeps the modules it has imported.

    Raises:
        UsageError: A file is stale; the message has a short diff.
    """
    files = [*COMPILED.rglob("*.yaml")]
    for folder in ("components", "pipeline"):
        files += [path for path in (PROJECT / folder).rglob("*.*") if path.suffix != ".pyc"]
    state = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in files))
    if state in _checked:
        return
    print("checking that compiled/ is up to date")  # noqa: T201 - a cell's own output
    command = [sys.executable, "-m", "pipeline", "compile", "--check"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))
    _checked.add(state)


class LineWatcher:
    """Shows a run below the cell: plain lines, and progress that the next line replaces.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.width = 0

    def started(self, task: Task) -> None:
        """Writes that a step starts."""
        self._write(f"{task.title}: started")

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        """Writes a line of the step's own."""
        del task
        self._write(f"  {line}", end="\r" if transient else "\n")

    def ended(self, task: Task) -> None:
        """Writes how a step ended."""
        self._write(f"{task.title}: {task.outcome}")

    def _write(self, text: str, end: str = "\n") -> None:
        # Blanks cover the rest of a longer progress line.
        self.stream.write(f"{text:<{self.width}}{end}")
        self.stream.flush()
        self.width = len(text) if end == "\r" else 0


@contextlib.contextmanager
def watch(_rows: list[Task]) -> Iterator[LineWatcher]:
    """Shows a run below the cell while the block lasts."""
    yield LineWatcher(sys.stdout)


def _own() -> dict[str, Any]:
    """Parameters that belong to this machine and checkout."""
    return {"bucket_uri": local.BUCKET_URI, "git_revision": git_revision()}


def _hyperparameters(wired: wiring.Wired) -> set[str]:
    if parameters.STRUCT not in wired.sources:
        return set()
    described = parameters.describe(specs.load(local.DEFAULT_SPEC))
    return {one.name for one in described if one.is_hyperparameter}


def _check_names(step: str, wired: wiring.Wired, changes: Mapping[str, Any]) -> None:
    known = {*wired.parameters, *wired.artifacts, *_hyperparameters(wired)}
    for name in changes:
        if name not in known:
            raise UsageError(parameters.unknown(step, name, known))


def _arguments(run: Run, wired: wiring.Wired, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The pipeline's parameters for the run of one step."""
    spec = specs.load(local.DEFAULT_SPEC)
    declared = {one.name for one in parameters.describe(spec)}
    before = {name: value for name, value in run.parameters.items() if name in declared}
    hyperparameters = _hyperparameters(wired)
    changed = {
        name if name in hyperparameters else wired.sources[name].name: value
        for name, value in changes.items()
        if name in hyperparameters or _is_parameter(wired, name)
    }
    return parameters.resolve(spec, {**before, **_own(), **changed})


def _is_parameter(wired: wiring.Wired, name: str) -> bool:
    source = wired.sources.get(name)
    return source is not None and not source.step and bool(source.name)


def _value(
    step: str,
    name: str,
    wired: wiring.Wired,
    run: Run,
    arguments: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> Any:
    if _is_parameter(wired, name):
        return arguments[wired.sources[name].name]
    if name in changes:
        return parameters.typed(name, changes[name], wired.parameters[name]["parameterType"])
    source = wired.sources[name]
    return _output(step, run, source) if source.step else source.constant


def _artifact(
    step: str, name: str, wired: wiring.Wired, run: Run, changes: Mapping[str, Any]
) -> Artifact:
    """An input artifact, with the address at which the step can read it."""
    found = changes.get(name) or _output(step, run, wired.sources[name])
    if not isinstance(found, Artifact):
        found = artifact(found, root=run.directory.parents[1])
    metadata = dict(found.metadata)
    if name == "champion" and name in changes:
        # Without a version it would mean that there is no champion.
        metadata.setdefault("version", found.run or found.uri)
    no_champion = name == "champion" and not metadata.get("version")
    as_it_is = no_champion or is_local(found.uri) or wired.artifacts[name] in UNREAD
    where = found.uri if as_it_is else str(found.path)
    return Artifact(where, metadata, found.kind, found.run, found.root)


def _output(step: str, run: Run, source: wiring.Source) -> Any:
    task = run.steps.get(source.step)
    if task is None or source.name not in task.outputs:
        raise RunError(
            f"{step} reads {source.name!r} of {source.step}, which {run.id} does not have; "
            f"rerun(run, {source.step!r}) makes it"
        )
    return task.outputs[source.name]
