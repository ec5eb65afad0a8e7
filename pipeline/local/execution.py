"""Runs one compiled spec with kfp.local and shows what its steps do.

``kfp.local`` decides what runs, in which order and with which arguments; conditions, the cache's
keys, importers and retries are its own. Four of its functions are replaced during a run: the one
that executes a task, to know when a task starts, ends or is answered from the cache; the one that
starts a task's process, to log its output and to be able to stop it; the one that returns the
cache, to check what it answers with; and the one that writes this interpreter's path wherever a
command has ``python3``, also inside other paths, and without quotes.
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
from pipeline.runs import signals
from pipeline.runs.table import Table
from pipeline.specs.spec import Spec, declared

if TYPE_CHECKING:
    from pipeline.local.cache import StepCache

TAIL_LINES: Final = 200
FULL_DISK: Final = tuple(os.strerror(code) for code in FULL)
"""What the system says of a full disk or quota, in whatever library it ends a step."""


@dataclass
class Execution:
    """A run of a spec's tasks, whose folders are created under ``steps/`` of the run's.

    Without a cache, outputs are neither read nor kept. In a hermetic run each task but the
    stand-ins has an environment of its own with only its pins.
    """

    table: Table
    run_directory: Path
    cache: "StepCache | None"
    scratch: Path
    environment: Mapping[str, str]
    hermetic: bool = False
    stand_ins: frozenset[str] = frozenset()
    _task: str = ""
    _processes: int = 0
    _tail: Sequence[str] = ()
    _code: int = 0

    def run(self, spec: Spec, arguments: dict[str, Any]) -> None:
        """Runs a compiled pipeline that kfp.local can run, up to its end or a step that fails."""
        import yaml
        from kfp import components, local

        # The watcher says it better than what kfp prints and warns of.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            local.init(
                runner=local.SubprocessRunner(use_venv=False),
                pipeline_root=str(self.run_directory),
                raise_on_error=True,
                enable_caching=True,
            )
            runnable = _without(_as_pipeline(spec), declared(spec).keys() - arguments.keys())
            pipeline = components.load_component_from_text(yaml.safe_dump(runnable))
            try:
                with self._installed():
                    pipeline(**arguments)
            finally:
                self.table.settle()

    @contextlib.contextmanager
    def _installed(self) -> Iterator[None]:
        from kfp.local import cache, subprocess_task_handler
        from kfp.local.orchestrator import task_executor

        get_local_cache = cache.get_local_cache
        execute_single_task = task_executor.execute_single_task
        run_local_subprocess = subprocess_task_handler.run_local_subprocess
        replace_python = subprocess_task_handler.replace_python_executable

        def execute(**arguments: Any) -> Any:
            # kfp would put a folder with the time between the run's folder and the tasks'.
            arguments |= {"pipeline_resource_name": "steps"}
            task = arguments["task_spec"].component_ref.name.removeprefix("comp-")
            if self.table.row(task) is None:  # An importer, which does no work.
                return execute_single_task(**arguments)
            return self._run_task(task, lambda: execute_single_task(**arguments))

        subprocess_task_handler.run_local_subprocess = self._run_process
        subprocess_task_handler.replace_python_executable = lambda command, _: command
        task_executor.execute_single_task = execute
        cache.get_local_cache = lambda: self.cache
        try:
            yield
        finally:
            cache.get_local_cache = get_local_cache
            task_executor.execute_single_task = execute_single_task
            subprocess_task_handler.run_local_subprocess = run_local_subprocess
            subprocess_task_handler.replace_python_executable = replace_python

    def _run_task(self, task: str, execute: Callable[[], Any]) -> Any:
        self._task, self._processes = task, 0
        started = time.monotonic()
        try:
            self.table.update(task, "running")
            outputs, status = execute()
            if status.name != "SUCCESS":
                raise self._failed(task)
        except BaseException as error:
            ended = "failed" if isinstance(error, Exception) else "cancelled"
            self.table.update(task, ended, time.monotonic() - started)
            raise
        state = "done" if self._processes else "cached"
        self.table.update(task, state, time.monotonic() - started, outputs)
        return outputs, status

    def _run_process(self, full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        task = self._task
        self._processes += 1
        python = Path(sys.executable)
        if self.hermetic and task not in self.stand_ins:
            self._say(task, "making an environment and installing its pins", transient=True)
            python = make_environment(self.scratch / f"venv-{task}")
        environment = {**self.environment, **(env_vars or {})}
        environment["PATH"] = f"{python.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        code = self._follow(task, full_command, environment)
        if code and foreseen(self._tail):
            # The step knew what was wrong: the spec's retries would not help.
            raise self._failed(task)
        return code

    def _follow(self, task: str, command: list[str], environment: dict[str, str]) -> int:
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        log = self.run_directory / "steps" / task / "log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        lines = OwnLines()
        with log.open("a") as file, running(command, environment, self.scratch) as process:
            for line, transient in read_lines(process):
                if transient:
                    self._say(task, line, transient=True)
                    continue
                file.write(f"{line}\n")
                file.flush()
                if own := lines.own(line):
                    tail.append(own)
                    self._say(task, *lines.shown(own))
        self._say(task, *lines.rest())
        self._tail, self._code = tuple(tail), process.returncode
        return self._code

    def _say(self, task: str, *lines: str, transient: bool = False) -> None:
        if row := self.table.row(task):
            for line in lines:
                self.table.watcher.said(row, line, transient=transient)

    def _failed(self, task: str) -> StepFailed:
        row = self.table.row(task)
        title = row.title if row else task
        return step_failed(task, title, self._tail, self.run_directory, self._code)


def _as_pipeline(spec: Spec) -> Spec:
    """The spec under a name that none of its components has.

    A component that was compiled by itself has its name twice; kfp would skip the pipeline around
    it, and the replaced functions with it.
    """
    name = spec["pipelineInfo"]["name"]
    if f"comp-{name}" not in spec["components"]:
        return spec
    return {**spec, "pipelineInfo": {**spec["pipelineInfo"], "name": f"{name}-alone"}}


def _without(spec: Spec, unset: set[str]) -> Spec:
    """The spec without parameters that have no value, which kfp cannot pass on to tasks."""
    if not unset:
        return spec

    def kept(task: Spec) -> Spec:
        given = task.get("inputs", {}).get("parameters", {})
        kept = {
            name: one
            for name, one in given.items()
            if one.get("componentInputParameter") not in unset
        }
        return {**task, "inputs": {**task.get("inputs", {}), "parameters": kept}}

    root = spec["root"]
    inputs = {name: one for name, one in declared(spec).items() if name not in unset}
    tasks = {name: kept(task) for name, task in root["dag"]["tasks"].items()}
    definitions = {**root["inputDefinitions"], "parameters": inputs}
    dag = {**root["dag"], "tasks": tasks}
    return {**spec, "root": {**root, "inputDefinitions": definitions, "dag": dag}}


def step_failed(
    task: str, title: str, tail: Sequence[str], run_directory: Path, code: int = 1
) -> StepFailed:
    """The error for a failed task: the reason in the step's own words if it foresaw the error."""
    reason = foreseen(tail)
    if not reason and any(text in line for text in FULL_DISK for line in tail):
        reason = disk_is_full(run_directory)
    if reason:
        return StepFailed(task, f"{title} failed: {reason}")
    ended = signals.of_exit_code(code, task)
    return StepFailed(task, f"{title} failed{ended and f': {ended}'}; its last lines:", tuple(tail))
