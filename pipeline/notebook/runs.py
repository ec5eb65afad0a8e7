"""Runs as a notebook reads them: of this machine, and of Vertex AI."""

import dataclasses
from pathlib import Path
from typing import Final

from pipeline.notebook.artifacts import Artifact, place
from pipeline.notebook.wiring import dependents
from pipeline.runs.finding import find
from pipeline.runs.record import Run, Task
from pipeline.runs.registry import Registry
from pipeline.runs.root import Root
from pipeline.specs.spec import NAMES

OF_THE_CLOUD: Final = {"find_champion": ("parent", "Output")}
"""Outputs that only Vertex AI's own registry can use."""


def load_run(reference: str, *, root: Path | None = None) -> Run:
    """A run on this machine by its id, a part of it, or ``last``; also one that ``rerun`` made.

    Raises:
        UsageError: It matches no run, or several.
    """
    run = with_files(find(place(root), reference))
    if not run.earlier or not (run.directory.parent / run.earlier).is_dir():
        return run
    return following(load_run(run.earlier, root=root), run)


def job_run(
    job: str,
    *,
    project: str | None = None,
    region: str | None = None,
    root: Path | None = None,
) -> Run:
    """A job on Vertex AI as a run: its parameters, and its outputs by their addresses.

    To upload its model to this machine's registry, run ``find_champion`` again first: the job's
    look-up was in Vertex AI's registry.

    Args:
        job: Its id, as ``fashion-mnist jobs`` shows it, its full name
            ``projects/…/locations/…/pipelineJobs/…``, or the address of its page.
        project: None: from the environment or gcloud's configuration, as the region.
        region: As ``europe-west4``.
        root: The folder that holds all that is local; downloads go there.

    Raises:
        UsageError: It cannot be a job's name, or there is no project or region.
        CloudError: There is no such job, or it cannot be read.
    """
    from pipeline.vertex import job as jobs
    from pipeline.vertex.follow import run_of

    target, job_id = jobs.named(job, project, region)
    run = with_files(run_of(jobs.get(target, job_id), target, place(root)))
    for step, names in OF_THE_CLOUD.items():
        for name in names if step in run.steps else ():
            run.steps[step].outputs.pop(name, None)
    return run


def promote(run: Run, version: int | str) -> None:
    """Makes a version of the run's model the champion in this machine's registry.

    Raises:
        RegistryError: There is no such version.
    """
    Registry(root_of(run).registry).promote(run.model_name, str(version))


def following(earlier: Run, run: Run) -> Run:
    """A run of some steps, with the outputs of an earlier run that do not depend on them."""
    made = {name for name, task in run.steps.items() if task.outputs}
    stale = made.union(*(dependents(name) for name in made))
    kept = {name: task for name, task in earlier.steps.items() if name not in stale}
    steps: dict[str, Task] = {**kept, **{name: run.steps[name] for name in made}}
    return dataclasses.replace(run, steps={name: steps[name] for name in NAMES if name in steps})


def root_of(run: Run) -> Root:
    """The folder that holds all that is local, and the run."""
    return Root(run.directory.parents[1])


def with_files(run: Run) -> Run:
    """The run with artifacts whose ``path`` is a file on this machine."""
    root = root_of(run).path
    for task in run.steps.values():
        task.outputs = {
            name: Artifact(value.uri, value.metadata, value.kind, run.id, root)
            if hasattr(value, "uri")
            else value
            for name, value in task.outputs.items()
        }
    return run
