"""Whole processes and what they take: wall time and peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MIB: Final = 2**20
TAIL_LINES: Final = 20


class BenchmarkError(Exception):
    """A benchmark that could not be measured."""


@dataclass(frozen=True)
class Usage:
    """What a process took.

    Attributes:
        seconds: From its start to its exit.
        peak: Of its resident memory, in bytes, as the kernel tells it.
        output: What it wrote to stdout.
    """

    seconds: float
    peak: int
    output: str

    @property
    def result(self) -> Any:
        """The JSON that it wrote in its last line."""
        return json.loads(self.output.splitlines()[-1])


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    discard: bool = False,
    folder: Path | None = None,
) -> Usage:
    """Runs a command to its end.

    The kernel counts into a child's peak what its parent held when it was started, so this
    process must stay small: no numpy and no TensorFlow in it.

    Args:
        command: Program and arguments.
        environment: Variables on top of this process's.
        discard: Throw away what it writes to stdout; stderr is kept for an error only.
        folder: To run it in; None: this process's.

    Raises:
        BenchmarkError: It failed; with its last lines.
    """
    with tempfile.TemporaryFile("w+") as notes:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL if discard else subprocess.PIPE,
            stderr=notes,
            text=True,
            cwd=folder,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **(environment or {})},
        )
        with process:
            output = process.stdout.read() if process.stdout else ""
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            notes.seek(0)
            tail = "\n".join([*output.splitlines(), *notes.read().splitlines()][-TAIL_LINES:])
            raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    return Usage(seconds, usage.ru_maxrss * 1024, output)


def module(name: str, *arguments: object) -> Usage:
    """Runs a module of this environment, ``python -m benchmarks.<name>``.

    Raises:
        BenchmarkError: As ``run``.
    """
    return run_module(f"benchmarks.{name}", *arguments)


def run_module(name: str, *arguments: object) -> Usage:
    """Runs any module of this environment.

    Raises:
        BenchmarkError: As ``run``.
    """
    return run([sys.executable, "-m", name, *map(str, arguments)])


def in_turns(repeats: int, *sides: Callable[[], Usage]) -> list[list[Usage]]:
    """Runs the sides one after another, ``repeats`` times, after one round that warms up."""
    rounds = [[side() for side in sides] for _ in range(repeats + 1)]
    return [list(column) for column in zip(*rounds[1:], strict=True)]


def seconds(usages: Sequence[Usage]) -> list[float]:
    """The time of each."""
    return [usage.seconds for usage in usages]


def peaks(usages: Sequence[Usage]) -> list[float]:
    """The peak memory of each, in MiB."""
    return [usage.peak / MIB for usage in usages]
