"""How long each step takes to start: from nothing until its own code could begin."""

import statistics
import sys
from typing import Final

from .figure import Figure
from .process import run
from .settings import Settings

EXECUTOR: Final = "kfp.dsl.executor_main"
"""What starts every step."""
BUCKET: Final = "google.cloud.storage"
REPORT: Final = "matplotlib.figure, matplotlib.backends.backend_svg, PIL.Image, jinja2"
"""What plots, pictures and page are made with."""
MODULES: Final = {
    "ingest": f"components.ingest.landing, {BUCKET}",
    "decode": f"components.decode.conversion, {BUCKET}",
    "find_champion": "components.upload.registry_lookup, google.cloud.aiplatform_v1",
    "train": f"components.train.trainer.training, {BUCKET}",
    "evaluate": f"components.evaluate.assessment, tensorflow, {REPORT}",
    "package_model": "components.upload.provenance, components.upload.vertex_evaluation",
}
"""What each step imports until it has done its work: Google's clients, TensorFlow, plots."""


def measure(settings: Settings) -> list[Figure]:
    """A row for each step, in seconds."""
    settings.say("start-up of each step")
    bare = statistics.median(_seconds("sys") for _ in range(settings.repeats))
    return [
        Figure(
            f"start-up of {step}: interpreter, kfp's executor, all imports",
            [_seconds(f"{EXECUTOR}, {modules}") for _ in range(settings.repeats)],
            "s",
            detail=f"the interpreter alone {bare:.2f} s",
        )
        for step, modules in MODULES.items()
    ]


def _seconds(modules: str) -> float:
    return run([sys.executable, "-c", f"import {modules}"], discard=True).seconds
