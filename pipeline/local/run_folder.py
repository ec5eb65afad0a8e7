"""The folder of a run: made when it begins, closed when it ends, cleared when it was killed."""

import contextlib
import datetime
import json
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from components.dataset.disk import FULL
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import CommandError
from pipeline.files import UNFINISHED
from pipeline.runs import registry as registries
from pipeline.runs import report
from pipeline.runs.record import Run, new_run_id
from pipeline.runs.registry import Registry
from pipeline.runs.root import Root
from pipeline.specs import spec as specs
from pipeline.specs.parameters import changed
from pipeline.specs.spec import Spec

SCRATCH: Final = "scratch"
"""A run's folder has it as long as the run has not ended; it is removed last."""
PACKAGED: Final = Path("steps/package-model")
EVALUATION: Final = "registry_evaluation"
STALE_SECONDS: Final = 60.0
"""After that nobody still writes a file that has not got its name."""

log = logging.getLogger(__name__)


def begin(spec: Spec, parameters: dict[str, Any], runs: Path, earlier: str = "") -> Run:
    """Makes the folder of a new run.

    Args:
        spec: The compiled spec.
        parameters: The value of each pipeline parameter.
        runs: The folder that has a folder for each run.
        earlier: Id of the run whose outputs its steps read; empty: ``spec`` is the pipeline.
    """
    pipeline = specs.load(COMPILED / PIPELINE) if earlier else spec
    now = datetime.datetime.now(tz=datetime.UTC)
    run_id = new_run_id(spec["pipelineInfo"]["name"], now)
    run = Run(
        id=run_id,
        directory=runs.resolve() / run_id,
        started=now,
        spec_digest=specs.digest(spec),
        parameters=parameters,
        changed=changed(parameters, pipeline),
        earlier=earlier,
    )
    (run.directory / SCRATCH).mkdir(parents=True)
    return run


def end(run: Run) -> None:
    """Removes what was scratch, and writes the summary.

    Raises:
        CommandError: The run went well, and the disk has no room for its summary.
        OSError: It cannot be written for another reason.
    """
    scratch = run.directory / SCRATCH
    for path in scratch.iterdir():  # Before the summary: it may be what fills the disk.
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    if run.started:
        run.seconds = (datetime.datetime.now(tz=datetime.UTC) - run.started).total_seconds()
    try:
        _write(run)
    except OSError as error:
        if run.state == "done":
            if error.errno in FULL:
                raise CommandError(disk_is_full(run.directory)) from error
            raise
        log.warning("%s has no summary of its end (%s)", run.directory, error)
    shutil.rmtree(scratch, ignore_errors=True)


def _write(run: Run) -> None:
    """Writes ``summary.json``, after ``evaluation.json`` and ``report.html`` where it has them."""
    try:
        report.publish(run)
    finally:
        run.write()


def disk_is_full(directory: Path) -> str:
    """What to say of the disk that holds a run's folder."""
    return (
        f"the disk that holds {directory} is full; free some space, or give another place with "
        "--root, and run again"
    )


def clear(root: Root) -> None:
    """Ends what earlier runs could not end themselves; call it while no other run goes on.

    Args:
        root: The folder that holds all that is local.
    """
    _clear_unfinished(root)
    for scratch in sorted(root.runs.glob(f"*/{SCRATCH}")):
        log.warning(
            "%s was killed; the steps that were done stay in the cache", scratch.parent.name
        )
        shutil.rmtree(scratch)
    registry = Registry(root.registry)
    for model in registry.models():
        with _told():
            registry.tidy(model)
    complete_uploads(root.runs, registry)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What is wrong with the registry is told, and the run goes on without it."""
    try:
        yield
    except registries.RegistryError as error:
        log.warning("%s", error)  # A step that needs the model will say it again, and fail.


def _clear_unfinished(root: Root) -> None:
    """Removes what killed writers had not finished: of runs at once, of other commands later."""
    stale = time.time() - STALE_SECONDS
    own = root.cache.rglob(f"{UNFINISHED}*")
    shared = [*root.path.glob(f"{UNFINISHED}*"), *root.runs.glob(f"*/{UNFINISHED}*")]
    for path in own:
        path.unlink(missing_ok=True)
    for path in shared:
        with contextlib.suppress(FileNotFoundError):  # Its writer has just renamed it.
            if path.stat().st_mtime < stale:
                path.unlink()


def complete_uploads(runs: Path, registry: Registry) -> None:
    """Puts the evaluation beside a version whose upload was the last that its run did.

    No later run would do it: to that the model is a version already.
    """
    for version in registry.directories():
        with _told():
            _complete_upload(runs, registry, version)


def _complete_upload(runs: Path, registry: Registry, version: Path) -> None:
    run = registries.read_json(version / registries.VERSION).get("run", "")
    if not run or (version / registries.EVALUATION).exists():
        return
    if evaluation := _packaged_evaluation(runs / Path(run).name / PACKAGED):
        registry.add_evaluation(version, evaluation)


def _packaged_evaluation(step: Path) -> dict[str, Any]:
    """What the import would have put there; empty where the run did not leave it whole."""
    try:
        (sliced,) = json.loads((step / EVALUATION).read_text())["slicedMetrics"]
        outputs = json.loads((step / "executor_output.json").read_text())["artifacts"]
        (artifact,) = outputs[EVALUATION]["artifacts"]
        digest = artifact["metadata"]["model_digest"]
        return {**sliced["metrics"]["classification"], "model_digest": digest}
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return {}
