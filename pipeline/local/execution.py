"""Runs one compiled spec with kfp.local and tells what its steps do.

``kfp.local`` decides what runs, in which order and with which arguments; conditions, the cache's
keys, importers and retries are its own. Three of its functions are replaced while a run lasts: the
one that executes a task, to learn when a task begins, ends or is answered from the cache, the one
that starts a task's process, to keep its output in a log and to be able to stop it, and the one
that gives the cache, for one that looks at what it answers with.
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
from pipeline.local import run_folder
from pipeline.local.processes import OwnLines, foreseen, make_environment, read_lines, running
from pipeline.runs.record import Task
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
        run_directory: ``runs/<id>``; the tasks' folders are made under its ``steps/``.
        cache: What earlier runs made; None: nothing is looked for, nothing kept.
        scratch: Working directory and ``TMPDIR`` of every task.
        environment: Environment of every task.
        hermetic: Whether each task gets an environment of its own, with its own pins alone.
        at_home: Names of the tasks that run in this environment even so.
    """

    run_directory: Path
    cache: "StepCache | None"
    scratch: Path
    environment: Mapping[str, str]
    hermetic: bool = False
    at_home: frozenset[str] = frozenset()


def execute(spec: Spec, arguments: dict[str, Any], table: Table, place: Workplace) -> None:
    """Runs a spec from start to end; the table's rows then say what became of each step.

    Args:
        spec: A compiled pipeline that kfp.local can run.
        arguments: The pipeline's parameters.
        table: The spec's steps; they are kept up to date.
        place: Where to run them.

    Raises:
        StepFailed: A step failed; nothing was started after it.
    """
    import yaml
    from kfp import components, local

    # What kfp prints and warns of is for a bare terminal; the watcher says it better.
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

    A component compiled by itself has its name twice; kfp would go past the pipeline around it, and
    with that past what is replaced here.
    """
    name = spec["pipelineInfo"]["name"]
    if f"comp-{name}" not in spec["components"]:
        return spec
    return {**spec, "pipelineInfo": {**spec["pipelineInfo"], "name": f"{name}-alone"}}


class _Execution:
    """The replaced functions, and what they know of the task that runs now."""

    def __init__(self, table: Table, place: Workplace) -> None:
        self.table = table
        self.place = place
        self.processes = 0
        self.tail: list[str] = []

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
            name = arguments["task_spec"].component_ref.name.removeprefix("comp-")
            if (row := self.table.row(name)) is None:
                return execute_single_task(**arguments)  # An importer, which does no work.
            subprocess_task_handler.run_local_subprocess = self.runner(name, row)
            return self.run_task(name, row, lambda: execute_single_task(**arguments))

        task_executor.execute_single_task = execute
        cache.get_local_cache = lambda: self.place.cache
        try:
            yield
        finally:
            cache.get_local_cache = get_local_cache
            task_executor.execute_single_task = execute_single_task
            subprocess_task_handler.run_local_subprocess = run_local_subprocess

    def run_task(self, name: str, row: Task, execute: Callable[[], Any]) -> Any:
        self.processes = 0
        started = time.monotonic()
        self.table.update(name, "running")
        try:
            outputs, status = execute()
            if status.name != "SUCCESS":
                raise step_failed(name, row.title, self.tail, self.place.run_directory)
        except BaseException:
            self.table.update(name, "failed", time.monotonic() - started)
            raise
        state = "done" if self.processes else "cached"
        self.table.update(name, state, time.monotonic() - started, outputs)
        return outputs, status

    def runner(self, name: str, row: Task) -> Callable[..., int]:
        def run(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
            self.processes += 1
            environment = {**self.place.environment, **(env_vars or {})}
            if self.place.hermetic and name not in self.place.at_home:
                full_command = self._hermetic(name, row, full_command, environment)
            code = self._follow(name, row, full_command, environment)
            if code and foreseen(self.tail):
                # The step knew what was wrong: the spec's retries would not help.
                raise step_failed(name, row.title, self.tail, self.place.run_directory)
            return code

        return run

    def _hermetic(
        self, name: str, row: Task, command: list[str], environment: dict[str, str]
    ) -> list[str]:
        what = "making an environment and installing its pins"
        self.table.watcher.said(row, what, transient=True)
        python = make_environment(self.place.scratch / f"venv-{name}")
        environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
        # kfp has put this interpreter's path where the spec says python3.
        return [part.replace(sys.executable, str(python)) for part in command]

    def _follow(self, name: str, row: Task, command: list[str], environment: dict[str, str]) -> int:
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        log = self.place.run_directory / "steps" / name / "log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        lines = OwnLines()

        def say(shown: list[str]) -> None:
            for line in shown:
                self.table.watcher.said(row, line, transient=False)

        with (
            log.open("a") as file,
            running(command, environment, self.place.scratch) as process,
        ):
            for line, transient in read_lines(process):
                if transient:
                    self.table.watcher.said(row, line, transient=True)
                    continue
                file.write(f"{line}\n")
                file.flush()
                if own := lines.own(line):
                    tail.append(own)
                    say(lines.shown(own))
        say(lines.rest())
        self.tail = list(tail)
        return process.returncode


def step_failed(name: str, title: str, tail: Sequence[str], run_directory: Path) -> StepFailed:
    """The error for a failed task: the reason in the step's own words where it foresaw it.

    Args:
        name: The task, as its folder is named.
        title: The step that it belongs to.
        tail: The last lines that it wrote.
        run_directory: The folder of the run.
    """
    reason = foreseen(tail)
    if not reason and any(text in line for text in FULL_DISK for line in tail):
        reason = run_folder.disk_is_full(run_directory)
    if reason:
        return StepFailed(name, f"{title} failed: {reason}")
    return StepFailed(name, f"{title} failed; its last lines:", tuple(tail))
