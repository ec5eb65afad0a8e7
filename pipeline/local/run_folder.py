"""The folder of a run: created at its start, completed at its end, cleared after a kill."""

import datetime
import logging
import shutil
from collections.abc import Mapping
from typing import Any, Final

from components.dataset.disk import FULL
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import CommandError
from pipeline.files import UNFINISHED
from pipeline.local.emulator import disk_is_full
from pipeline.runs import report
from pipeline.runs.record import Run, new_run_id
from pipeline.runs.registry import INCOMING
from pipeline.runs.root import Root
from pipeline.specs import spec as specs
from pipeline.specs.parameters import changed, flat
from pipeline.specs.spec import Spec

SCRATCH: Final = "scratch"
"""A run's folder has it until the run has ended."""

log = logging.getLogger(__name__)


def begin(spec: Spec, parameters: Mapping[str, Any], root: Root, earlier: str = "") -> Run:
    """Creates the folder of a new run; ``earlier`` is the run whose outputs its steps read."""
    pipeline = specs.load(COMPILED / PIPELINE) if earlier else spec
    now = datetime.datetime.now(tz=datetime.UTC)
    run_id = new_run_id(spec["pipelineInfo"]["name"], now)
    run = Run(
        id=run_id,
        directory=root.runs.resolve() / run_id,
        started=now,
        spec_digest=specs.digest(spec),
        parameters=flat(parameters),
        changed=changed(parameters, pipeline),
        earlier=earlier,
    )
    (run.directory / SCRATCH).mkdir(parents=True)
    return run


def end(run: Run) -> None:
    """Removes the scratch folder; writes the summary and, where there is an evaluation, the report.

    If a run that went well has no summary, it ends with an error; else the log says so.
    """
    shutil.rmtree(run.directory / SCRATCH, ignore_errors=True)  # It may be what fills the disk.
    if run.started:
        run.seconds = (datetime.datetime.now(tz=datetime.UTC) - run.started).total_seconds()
    try:
        try:
            report.publish(run)
        finally:
            run.write()
    except OSError as error:
        if run.state != "done":
            log.warning("%s has no summary of its end (%s)", run.directory, error)
        elif error.errno in FULL:
            raise CommandError(disk_is_full(run.directory)) from error
        else:
            raise


def clear(root: Root) -> None:
    """Removes what killed runs left; call it while no other run is going on."""
    for path in root.cache.glob(".kfp_cache_*"):  # Unfinished entries of kfp's cache.
        path.unlink()
    for scratch in sorted(root.runs.glob(f"*/{SCRATCH}")):
        log.warning("%s was killed; its finished steps stay in the cache", scratch.parent.name)
        for path in scratch.parent.glob(f"{UNFINISHED}*"):
            path.unlink()
        shutil.rmtree(scratch)
    for incoming in root.registry.glob(f"*/{INCOMING}"):
        shutil.rmtree(incoming)
