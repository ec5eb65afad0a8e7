"""How long a command and each step take to start: from nothing until their own code could begin."""

import statistics
import sys
from pathlib import Path
from typing import Final

from .figure import Figure, Target
from .process import run
from .settings import Settings

EXECUTOR: Final = "kfp.dsl.executor_main"
"""What starts every step."""
BUCKET: Final = "google.cloud.storage"
REPORT: Final = "PIL.Image, jinja2"
"""What images and page are made with."""
MODULES: Final = {
    "ingest": f"components.ingest.landing, {BUCKET}",
    "decode": f"components.decode.conversion, {BUCKET}",
    "find_champion": "components.upload.registry_lookup, google.cloud.aiplatform_v1",
    "train": f"components.train.trainer.training, {BUCKET}",
    "evaluate": f"components.evaluate.assessment, tensorflow, {REPORT}",
    "package_model": "components.upload.provenance, components.upload.vertex_evaluation",
}
"""What each step imports until it has done its work: Google's clients, TensorFlow, plots."""


INSTANT: Final = Target(0.3, at_most=True)


def measure(settings: Settings) -> list[Figure]:
    """A row for a command's help and for each step, in seconds."""
    settings.say("start-up of a command and of each step")
    bare = statistics.median(_seconds("sys") for _ in range(settings.repeats))
    command = [str(Path(sys.executable).with_name("fashion-mnist")), "run", "--help"]
    shown = [run(command, discard=True).seconds for _ in range(settings.repeats)]
    steps = [
        Figure(
            f"start-up of {step}: interpreter, kfp's executor, all imports",
            [_seconds(f"{EXECUTOR}, {modules}") for _ in range(settings.repeats)],
            "s",
            detail=f"the interpreter alone {bare:.2f} s",
        )
        for step, modules in MODULES.items()
    ]
    return [Figure("`fashion-mnist run --help`, start to exit", shown, "s", INSTANT), *steps]


def _seconds(modules: str) -> float:
    return run([sys.executable, "-c", f"import {modules}"], discard=True).seconds
