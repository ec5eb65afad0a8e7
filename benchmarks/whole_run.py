"""The whole pipeline: its second run against its first, and what a run adds to its steps."""

import json
import shutil
import sys
from pathlib import Path

from .figure import Figure, Target, ratio
from .process import Usage, run
from .settings import Settings


def measure(settings: Settings) -> list[Figure]:
    """The rows of the whole run; the first run is made once, the second several times."""
    settings.say("the whole pipeline, first run")
    root = settings.scratch / "root"
    shutil.rmtree(root, ignore_errors=True)
    first = _run(settings, root, "--require-upload")
    (summary,) = root.glob("runs/*/summary.json")
    steps = sum(step["seconds"] for step in json.loads(summary.read_text())["steps"])
    settings.say("the whole pipeline, nothing changed")
    # Each of these finds what the first run left, as a person's second run does.
    seconds = [_again(settings, root, number) for number in range(settings.repeats)]
    return [
        ratio(
            "second `run` with nothing changed / the first",
            seconds,
            [first.seconds] * len(seconds),
            Target(1 / 20, at_most=True),
            unit="s",
            labels=("second", "first"),
        ),
        ratio(
            "whole first `run`, start to exit / the sum of its steps' wall times",
            [first.seconds],
            [steps],
            Target(1.15, at_most=True),
            unit="s",
            labels=("run", "steps"),
        ),
    ]


def _again(settings: Settings, root: Path, number: int) -> float:
    copy = settings.scratch / f"again-{number}"
    shutil.copytree(root, copy, symlinks=True)
    seconds = _run(settings, copy).seconds
    shutil.rmtree(copy)
    return seconds


def _run(settings: Settings, root: Path, *options: str) -> Usage:
    quick = ["-p", "train_steps=4", "-p", "min_accuracy=0"] if settings.quick else []
    command = [sys.executable, "-m", "pipeline", "run", "--source", str(settings.raw)]
    return run([*command, "--root", str(root), *options, *quick], discard=True)
