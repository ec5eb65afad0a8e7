"""The whole pipeline as a new user runs it: from a fresh clone, and again."""

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.train.trainer.hardware import cpu_has_bfloat16
from pipeline.compiler import PROJECT

from .figure import Figure, Target
from .process import BenchmarkError, run
from .settings import Settings

QUICK: Final = ("-p", "train_steps=4", "-p", "min_accuracy=0")
STARTED: Final = "training on "
"""Begins the line that train writes just before its first step."""


def measure(settings: Settings) -> list[Figure]:
    """The rows of the whole run; the first run is made once, the others several times."""
    settings.say("a fresh clone: set-up and the whole pipeline")
    clone = settings.scratch / "clone"
    run(["git", "clone", "--quiet", str(PROJECT), str(clone)])
    given = QUICK if settings.quick else ()
    started = time.perf_counter()
    run(["make", "setup"], discard=True, folder=clone)
    set_up = time.perf_counter() - started
    arguments = " ".join([*given, "--require-upload"])
    first = run(["make", "run", f"ARGS={arguments}"], discard=True, folder=clone)
    root = clone / ".fashion-mnist"
    (summary,) = root.glob("runs/*/summary.json")
    steps = sum(step["seconds"] for step in json.loads(summary.read_text())["steps"])
    command = [str(clone / ".venv" / "bin" / "fashion-mnist"), "run"]
    settings.say("the whole pipeline, nothing changed")
    # Each of these finds what the first run left, as a person's second run does.
    again = []
    for number in range(settings.repeats):
        copy = settings.scratch / f"again-{number}"
        shutil.copytree(root, copy, symlinks=True)
        again.append(run([*command, *given, "--root", str(copy)], discard=True).seconds)
    settings.say("the start of a run, up to the first training step")
    starts = [
        to_first_step(command, settings.scratch / f"start-{number}", clone)
        for number in range(settings.repeats)
    ]
    whole = set_up + first.seconds
    return [
        Figure(
            "fresh clone to registered model",
            [whole],
            "s",
            Target(150 if cpu_has_bfloat16() else 360, at_most=True),
            detail=f"set-up {set_up:.0f} s, run {first.seconds:.0f} s",
        ),
        Figure("second `run` with nothing changed", again, "s", Target(3, at_most=True)),
        Figure("start of `run` to the first training step", starts, "s", Target(6, at_most=True)),
        Figure(
            "whole first `run`, start to exit / the sum of its steps' wall times",
            [first.seconds / steps],
            target=Target(1.15, at_most=True),
            detail=f"run {first.seconds:.4g} s, steps {steps:.4g} s",
        ),
    ]


def to_first_step(command: Sequence[str], root: Path, folder: Path) -> float:
    """Seconds from the start of a run to the end of its first training step, with tracing.

    Raises:
        BenchmarkError: The run failed.
    """
    started = time.perf_counter()
    one_step = [*command, "-p", "train_steps=1", "-p", "min_accuracy=0", "--root", str(root)]
    before = 0.0
    with subprocess.Popen(one_step, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        for line in process.stdout or ():
            if STARTED in line:
                before = time.perf_counter() - started
    if process.returncode or not before:
        raise BenchmarkError(f"{' '.join(one_step)} ended with {process.returncode}")
    (history,) = root.glob("runs/*/steps/train/history")
    first: float = json.loads(history.read_text())["epochs"][0]["seconds"]
    return before + first
