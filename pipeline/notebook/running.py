"""Runs the pipeline, or one of its steps by itself, from a cell."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from components.evaluate import gate
from pipeline import compiler, steps
from pipeline.compiler import PROJECT
from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.notebook import runs, wiring
from pipeline.notebook.artifacts import Artifact, artifact, is_local, place
from pipeline.runs.finding import listed
from pipeline.runs.record import Run, RunError, Task
from pipeline.specs import parameters
from pipeline.specs import spec as specs

RESOURCES: Final = ("google.VertexModel",)
"""Types of artifacts that no step opens as a file."""


def last_run(*, or_start: str | None = None, root: Path | None = None) -> Run:
    """The newest run of the whole pipeline on this machine that succeeded.

    ``or_start`` is the preset to run the pipeline with if there is no run yet.

    Raises:
        RunError: There is none yet.
        StepFailed: The run that was started failed.
    """
    for run in listed(place(root)):
        if run.state == "done" and not run.earlier:
            return runs.with_files(run)
    if or_start is None:
        raise RunError(
            f"no run has ended under {place(root).path} yet: start one with "
            'last_run(or_start="fast"), which takes a minute or two, or with `make run`'
        )
    return run_pipeline(or_start, root=root)


def run_pipeline(preset: str | None = None, *, root: Path | None = None, **values: Any) -> Run:
    """Runs the whole pipeline on this machine, as ``fashion-mnist run`` does.

    The preset is a set of hyperparameters to start from, as ``fast``.

    Raises:
        UsageError: The pipeline has no such parameter, or a value is wrong.
        StepFailed: A step failed.
    """
    spec = specs.load(local.DEFAULT_SPEC)
    arguments = local.checked_arguments(spec, values, preset, place(root))
    compiler.check_changed(place(root).compiled, check_compiled)
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
    if run.is_for_kubeflow and name in ("find_champion", "upload"):
        raise UsageError(
            f"the registry of {run.id} is MLflow's, or none: run its whole pipeline again, with "
            f"--spec {compiler.COMPILED.name}/{compiler.KUBEFLOW_PIPELINE}"
        )
    arguments = _arguments(run, name, wired, changes)
    if name == "upload" and not run.passed:
        lowest = ", ".join(f"{name}={rule.lowest:g}" for name, rule in gate.RULES.items())
        raise RunError(
            f"the gate refused this model: {run.reason} Unless it is the champion itself, "
            f'rerun(run, "evaluate", {lowest}) accepts it all the same'
        )
    artifacts, values = {}, {}
    for own, source in wired.sources.items():
        if own in wired.artifacts:
            found = changes.get(own) or _output(run, name, source)
            artifacts[own] = _readable(run, own, found, wired.artifacts[own], given=own in changes)
        elif source.step:
            values[own] = _output(run, name, source)
        else:
            values[own] = arguments[source.name] if source.name else source.constant
    spec = wiring.alone(name, artifacts, values)
    compiler.check_changed(runs.root_of(run).compiled, check_compiled)
    options = local.Options(use_cache=False, earlier=run.id, parameters=arguments)
    done = local.run(spec, {}, runs.root_of(run), watch, options)
    return runs.following(run, runs.with_files(Run.read(done.directory)))


def check_compiled() -> None:
    """``compiler.check`` in another process: this one keeps the modules it has imported.

    Raises:
        UsageError: A file is stale; the message has a short diff.
    """
    print("checking that compiled/ is up to date")  # noqa: T201 - a cell's own output
    command = [sys.executable, "-m", "pipeline", "compile", "--check"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))


def _arguments(run: Run, name: str, wired: wiring.Wired, changes: dict[str, Any]) -> dict[str, Any]:
    spec = specs.load(local.DEFAULT_SPEC)
    declared = {one.name: one for one in parameters.describe(spec)}
    names = {own: source.name for own, source in wired.sources.items() if source.is_parameter}
    if parameters.STRUCT in names:
        names |= {own: own for own, one in declared.items() if one.is_hyperparameter}
    for change in changes:
        if change not in names and change not in wired.artifacts:
            raise UsageError(parameters.unknown(name, change, {*names, *wired.artifacts}))
    before = {own: value for own, value in run.parameters.items() if own in declared}
    changed = {names[own]: value for own, value in changes.items() if own in names}
    return parameters.resolve(spec, {**before, **local.own_parameters(), **changed})


def _output(run: Run, step: str, source: wiring.Source) -> Any:
    task = run.steps.get(source.step)
    if task is None or source.name not in task.outputs:
        raise RunError(
            f"{step} reads {source.name!r} of {source.step}, which {run.id} does not have; "
            f"rerun(run, {source.step!r}) makes it"
        )
    return task.outputs[source.name]


def _readable(run: Run, name: str, found: Any, kind: str, *, given: bool) -> Artifact:
    """An artifact with the address at which the step can read it."""
    if not isinstance(found, Artifact):
        found = artifact(found, root=runs.root_of(run).path)
    metadata = dict(found.metadata)
    if name == "champion" and given:
        # Without a version it would mean that there is no champion.
        metadata.setdefault("version", found.run or found.uri)
    no_champion = name == "champion" and not metadata.get("version")
    as_it_is = no_champion or is_local(found.uri) or kind in RESOURCES
    where = found.uri if as_it_is else str(found.path)
    return Artifact(where, metadata, found.kind, found.run, found.root)


class LineWatcher:
    """Shows a run below the cell: plain lines, and progress that the next line replaces."""

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
