"""A toy pipeline through the wrappers around kfp.local; if kfp changes them, this fails."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from kfp import compiler, dsl

from pipeline.errors import StepFailed
from pipeline.local.cache import StepCache
from pipeline.local.execution import Execution, step_failed
from pipeline.local.localization import localize
from pipeline.runs.record import Task
from pipeline.runs.table import Table
from pipeline.specs import spec as specs


@dsl.component(base_image="python:3.11-slim")
def decide(value: int) -> bool:
    print("deciding")
    print("half way", end="\r")
    return value > 0


@dsl.component(base_image="python:3.11-slim")
def act(marker: str) -> str:
    from pathlib import Path

    Path(marker).write_text("acted")
    return marker


@dsl.component(base_image="python:3.11-slim")
def take(marker: Optional[str] = None) -> bool:  # noqa: UP045
    return marker is None


@dsl.component(base_image="python:3.11-slim")
def fail(times: int, counter: str):  # type: ignore[no-untyped-def]
    from pathlib import Path

    path = Path(counter)
    count = int(path.read_text()) if path.exists() else 0
    path.write_text(str(count + 1))
    if count < times:
        raise ValueError("not yet")


@dsl.component(base_image="python:3.11-slim")
def foresee(counter: str):  # type: ignore[no-untyped-def]
    from pathlib import Path

    from components.dataset.errors import DataError

    path = Path(counter)
    path.write_text(path.read_text() + "x" if path.exists() else "x")
    raise DataError("the file is damaged at offset 7")


@dsl.component(base_image="python:3.11-slim")
def killed(number: int):  # type: ignore[no-untyped-def]
    import os

    os.kill(os.getpid(), number)


class Witness:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.lines: list[tuple[str, bool]] = []

    def started(self, task: Task) -> None:
        self.events.append(f"started {task.name}")

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        del task
        self.lines.append((line, transient))

    def ended(self, task: Task) -> None:
        self.events.append(f"{task.state} {task.name}")


class Laboratory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.witness = Witness()
        self.tasks: dict[str, Task] = {}

    def run(self, pipeline: Any, name: str = "run", **arguments: Any) -> None:
        file = self.path / "spec.yaml"
        compiler.Compiler().compile(pipeline, str(file))
        spec, _ = localize(specs.load(file), name, keep_preamble=False)
        table = Table(spec)
        self.tasks = table.rows
        scratch = self.path / f"{name}-scratch"
        scratch.mkdir()
        execution = Execution(
            table=table,
            run_directory=self.path / name,
            cache=StepCache(self.path / "cache", lambda _uri: {}),
            scratch=scratch,
            environment=dict(os.environ) | {"PYTHONUNBUFFERED": "1", "TMPDIR": str(scratch)},
        )
        table.watcher = self.witness = Witness()
        execution.run(spec, arguments)

    def states(self) -> dict[str, str]:
        return {name: task.state for name, task in self.tasks.items()}


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[Laboratory]:
    with contextlib.chdir(tmp_path):
        yield Laboratory(tmp_path)


@dsl.pipeline(name="gate")
def gate(value: int, marker: str) -> None:
    verdict = decide(value=value)
    with dsl.If(verdict.output == True):  # noqa: E712
        act(marker=marker).set_caching_options(False)


def test_a_branch_runs_where_its_condition_is_true(laboratory: Laboratory, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"value": 1, "marker": str(tmp_path / "marker")}
    laboratory.run(gate, **arguments)
    assert (tmp_path / "marker").read_text() == "acted"
    assert laboratory.states() == {"decide": "done", "act": "done"}
    laboratory.run(gate, "second", **arguments)
    assert laboratory.states() == {"decide": "cached", "act": "done"}
    assert laboratory.tasks["decide"].outputs == {"Output": True}


@dsl.pipeline(name="optional")
def optional(marker: Optional[str] = None) -> None:  # noqa: UP045
    take(marker=marker)


def test_an_optional_parameter_that_is_not_set_is_none(laboratory: Laboratory) -> None:
    laboratory.run(optional)
    assert laboratory.tasks["take"].outputs == {"Output": True}
    laboratory.run(optional, "second", marker="given")
    assert laboratory.tasks["take"].outputs == {"Output": False}


def test_the_path_of_the_project_may_have_spaces_and_quotes_and_python3_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / """my python3 "proj's" übung"""
    home.mkdir()
    (home / ".venv").symlink_to(sys.prefix)
    monkeypatch.setattr(sys, "executable", str(home / ".venv" / "bin" / "python"))
    monkeypatch.chdir(home)
    laboratory = Laboratory(home)
    laboratory.run(gate, value=1, marker=str(home / "marker"))
    assert (home / "marker").read_text() == "acted"


def test_a_branch_is_skipped_where_its_condition_is_false_and_a_run_is_shown_as_it_goes(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    laboratory.run(gate, value=0, marker=str(tmp_path / "marker"))
    assert not (tmp_path / "marker").exists()
    assert laboratory.states() == {"decide": "done", "act": "skipped"}
    assert laboratory.witness.events == ["started decide", "done decide"]
    assert ("deciding", False) in laboratory.witness.lines
    assert ("half way", True) in laboratory.witness.lines
    log = (tmp_path / "run" / "steps" / "decide" / "log.txt").read_text()
    assert "deciding" in log
    assert "half way" not in log


def test_a_step_with_other_pins_is_not_answered_from_the_cache(laboratory: Laboratory) -> None:
    def pinned(pin: str) -> Any:
        step = dsl.component(
            decide.python_func, base_image="python:3.11-slim", packages_to_install=[pin]
        )

        @dsl.pipeline(name="pinned")
        def pipeline() -> None:
            step(value=1)

        return pipeline

    for pin, state in (("numpy==1", "done"), ("numpy==2", "done"), ("numpy==2", "cached")):
        laboratory.run(pinned(pin), name=f"{pin}-{state}")
        assert laboratory.states() == {"decide": state}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_step_is_cancelled_and_the_others_are_skipped(
    stop: type[BaseException], laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise stop

    monkeypatch.setattr(Witness, "said", interrupt)
    with pytest.raises(stop):
        laboratory.run(gate, value=1, marker="never")
    assert laboratory.states() == {"decide": "cancelled", "act": "skipped"}


def test_a_failed_step_ends_the_run_with_its_last_lines_after_the_retries_of_the_spec(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    @dsl.pipeline(name="failing")
    def failing(counter: str) -> None:
        fail(times=2, counter=counter).set_retry(num_retries=1, backoff_duration="0s")

    with pytest.raises(StepFailed) as caught:
        laboratory.run(failing, counter=str(tmp_path / "counter"))
    assert any("ValueError: not yet" in line for line in caught.value.lines)
    assert ("ValueError: not yet", False) in laboratory.witness.lines
    assert laboratory.states() == {"fail": "failed"}
    laboratory.run(failing, "again", counter=str(tmp_path / "counter"))
    assert laboratory.states() == {"fail": "done"}
    assert (tmp_path / "counter").read_text() == "3"


def test_a_foreseen_error_is_the_steps_own_words_and_not_tried_again(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    @dsl.pipeline(name="foreseeing")
    def foreseeing(counter: str) -> None:
        foresee(counter=counter).set_retry(num_retries=2, backoff_duration="0s")

    with pytest.raises(StepFailed, match="Foresee failed: the file is damaged at offset 7") as e:
        laboratory.run(foreseeing, counter=str(tmp_path / "counter"))
    assert e.value.lines == ()
    assert not any("Traceback" in line for line, _ in laboratory.witness.lines)
    assert (tmp_path / "counter").read_text() == "x"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            signal.SIGKILL,
            "the system killed it (exit code 137), most likely because memory",
        ),
        (signal.SIGSEGV, "a signal ended it (Segmentation fault, exit code 139)"),
    ],
)
def test_a_signal_that_ends_a_step_is_named(number: int, said: str, laboratory: Laboratory) -> None:
    @dsl.pipeline(name="killing")
    def killing(number: int) -> None:
        killed(number=number)

    with pytest.raises(StepFailed, match=re.escape(f"Killed failed: {said}")):
        laboratory.run(killing, number=int(number))


def test_a_full_disk_is_reported_whatever_library_met_it() -> None:
    tail = ["ResourceExhaustedError: /runs/1/part; No space left on device [Op:SaveV2]"]
    error = step_failed("train", "Train", tail, Path("/runs/1"))
    assert str(error).startswith("Train failed: the disk that holds /runs/1 is full; ")
    assert error.lines == ()
