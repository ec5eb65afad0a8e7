"""Runs one compiled spec with kfp.local and shows what its steps do.

``kfp.local`` decides what runs, in which order and with which arguments; conditions, the cache's
keys, importers and retries are its own. Three of its functions are replaced during a run: the one
that executes a task, to know when a task starts, ends or is answered from the cache; the one that
starts a task's process, to log its output and to be able to stop it; and the one that returns the
cache, to check what it answers with.
"""

import contextlib
import io
import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from components.dataset.disk import FULL
from pipeline.errors import StepFailed
from pipeline.local.emulator import disk_is_full
from pipeline.local.processes import OwnLines, foreseen, make_environment, read_lines, running
from pipeline.runs.table import Table
from pipeline.specs.spec import Spec

if TYPE_CHECKING:
    from pipeline.local.cache import StepCache

TAIL_LINES: Final = 200
FULL_DISK: Final = tuple(os.strerror(code) for code in FULL)
"""What the system says of a full disk or quota, in whatever library it ends a step."""


@dataclass(frozen=True)
class Workplace:
    """Where the tasks of a run live.

    Attributes:
        run_directory: ``runs/<id>``; the tasks' folders are created under its ``steps/``.
        cache: The outputs of earlier runs; None: neither read nor kept.
        scratch: Working directory and ``TMPDIR`` of every task.
        environment: Environment of every task.
        hermetic: Run each task in an environment of its own, which has only the task's pins.
        stand_ins: Names of the tasks that run in this environment all the same.
    """

    run_directory: Path
    cache: "StepCache | None"
    scratch: Path
    environment: Mapping[str, str]
    hermetic: bool = False
    stand_ins: frozenset[str] = frozenset()


def execute(spec: Spec, arguments: dict[str, Any], table: Table, place: Workplace) -> None:
    """Runs a spec from start to end and keeps the table's rows up to date.

    Args:
        spec: A compiled pipeline that kfp.local can run.
        arguments: The pipeline's parameters.
        table: The spec's steps.
        place: Where to run them.

    Raises:
        StepFailed: A step failed; nothing was started after it.
    """
    import yaml
    from kfp import components, local

    # The watcher says it better than what kfp prints and warns of.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        local.init(
            runner=local.SubprocessRunner(use_venv=False),
            pipeline_root=str(place.run_directory),
            raise_on_error=True,
            enable_caching=True,
        )
        with _Execution(table, place).installed():
            components.load_component_from_text(yaml.safe_dump(_as_pipeline(spec)))(**arguments)
    table.settle()


def _as_pipeline(spec: Spec) -> Spec:
    """The spec under a name that none of its components has.

    A component that was compiled by itself has its name twice; kfp would skip the pipeline around
    it, and the replaced functions with it.
    """
    name = spec["pipelineInfo"]["name"]
    if f"comp-{name}" not in spec["components"]:
        return spec
    return {**spec, "pipelineInfo": {**spec["pipelineInfo"], "name": f"{name}-alone"}}


class _Execution:
    """The functions that replace kfp.local's, and the last lines of the task that runs now."""

    def __init__(self, table: Table, place: Workplace) -> None:
        self.table = table
        self.place = place
        self.processes = 0
        self.tail: Sequence[str] = ()

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        from kfp.local import cache, subprocess_task_handler
        from kfp.local.orchestrator import task_executor

        get_local_cache = cache.get_local_cache
        execute_single_task = task_executor.execute_single_task
        run_local_subprocess = subprocess_task_handler.run_local_subprocess

        def execute(**arguments: Any) -> Any:
            # kfp would put a folder with the time between the run's folder and the tasks'.
            arguments |= {"pipeline_resource_name": "steps"}
            task = arguments["task_spec"].component_ref.name.removeprefix("comp-")
            if self.table.row(task) is None:  # An importer, which does no work.
                return execute_single_task(**arguments)
            subprocess_task_handler.run_local_subprocess = self.runner(task)
            return self.run_task(task, lambda: execute_single_task(**arguments))

        task_executor.execute_single_task = execute
        cache.get_local_cache = lambda: self.place.cache
        try:
            yield
        finally:
            cache.get_local_cache = get_local_cache
            task_executor.execute_single_task = execute_single_task
            subprocess_task_handler.run_local_subprocess = run_local_subprocess

    def run_task(self, task: str, execute: Callable[[], Any]) -> Any:
        self.processes = 0
        started = time.monotonic()
        self.table.update(task, "running")
        try:
            outputs, status = execute()
            if status.name != "SUCCESS":
                raise self.failed(task)
        except BaseException:
            self.table.update(task, "failed", time.monotonic() - started)
            raise
        state = "done" if self.processes else "cached"
        self.table.update(task, state, time.monotonic() - started, outputs)
        return outputs, status

    def runner(self, task: str) -> Callable[..., int]:
        def run(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
            self.processes += 1
            environment = {**self.place.environment, **(env_vars or {})}
            if self.place.hermetic and task not in self.place.stand_ins:
                full_command = self.hermetic(task, full_command, environment)
            code = self.follow(task, full_command, environment)
            if code and foreseen(self.tail):
                # The step knew what was wrong: the spec's retries would not help.
                raise self.failed(task)
            return code

        return run

    def hermetic(self, task: str, command: list[str], environment: dict[str, str]) -> list[str]:
        self.say(task, "making an environment and installing its pins", transient=True)
        python = make_environment(self.place.scratch / f"venv-{task}")
        environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
        # kfp has put this interpreter's path where the spec says python3.
        return [part.replace(sys.executable, str(python)) for part in command]

    def follow(self, task: str, command: list[str], environment: dict[str, str]) -> int:
        """Runs a task's process, logs and shows its lines, and returns its exit code."""
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        log = self.place.run_directory / "steps" / task / "log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        lines = OwnLines()
        with (
            log.open("a") as file,
            running(command, environment, self.place.scratch) as process,
        ):
            for line, transient in read_lines(process):
                if transient:
                    self.say(task, line, transient=True)
                    continue
                file.write(f"{line}\n")
                file.flush()
                if own := lines.own(line):
                    tail.append(own)
                    self.say(task, *lines.shown(own))
        self.say(task, *lines.rest())
        self.tail = tuple(tail)
        return process.returncode

    def say(self, task: str, *lines: str, transient: bool = False) -> None:
        if row := self.table.row(task):
            for line in lines:
                self.table.watcher.said(row, line, transient=transient)

    def failed(self, task: str) -> StepFailed:
        row = self.table.row(task)
        return step_failed(task, row.title if row else task, self.tail, self.place.run_directory)


def step_failed(task: str, title: str, tail: Sequence[str], run_directory: Path) -> StepFailed:
    """The error for a failed task: the reason in the step's own words if it foresaw the error.

    Args:
        task: The task's folder under ``steps/``.
        title: What people see of it.
        tail: The last lines that it wrote.
        run_directory: The folder of the run.
    """
    reason = foreseen(tail)
    if not reason and any(text in line for text in FULL_DISK for line in tail):
        reason = disk_is_full(run_directory)
    if reason:
        return StepFailed(task, f"{title} failed: {reason}")
    return StepFailed(task, f"{title} failed; its last lines:", tuple(tail))
