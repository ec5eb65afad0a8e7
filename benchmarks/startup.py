"""How long each step takes to start: from nothing until its own code could begin."""

import statistics
import sys
from typing import Final

from .figure import Figure
from .process import run
from .settings import Settings

EXECUTOR: Final = "kfp.dsl.executor_main"
"""What starts every step."""
MODULES: Final = {
    "ingest": "components.ingest.landing",
    "decode": "components.decode.conversion",
    "find_champion": "components.upload.registry_lookup",
    "train": "components.train.trainer.training",
    "evaluate": "components.evaluate.assessment, tensorflow",
    "package_model": "components.upload.provenance",
}
"""What the body of each step imports, TensorFlow where it comes to it."""


def measure(settings: Settings) -> list[Figure]:
    """A row for each step, in seconds."""
    settings.say("start-up of each step")
    bare = statistics.median(_seconds("sys") for _ in range(settings.repeats))
    return [
        Figure(
            f"start-up of {step}: interpreter, kfp's executor, imports",
            [_seconds(f"{EXECUTOR}, {modules}") for _ in range(settings.repeats)],
            "s",
            detail=f"the interpreter alone {bare:.2f} s",
        )
        for step, modules in MODULES.items()
    ]


def _seconds(modules: str) -> float:
    return run([sys.executable, "-c", f"import {modules}"], discard=True).seconds
