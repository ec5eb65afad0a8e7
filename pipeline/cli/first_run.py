"""What is good to know before the first training on a machine."""

import dataclasses
from collections.abc import Collection
from typing import Final

from components.train.trainer.hardware import cpu_has_bfloat16
from components.train.trainer.util import Hyperparameters
from pipeline.program import command
from pipeline.runs.root import Root

HYPERPARAMETERS: Final = frozenset(field.name for field in dataclasses.fields(Hyperparameters))


def note(given: Collection[str], root: Root) -> str:
    """A quicker preset, where the default's training takes long and nobody chose it; else nothing.

    Args:
        given: The names of the parameters that were given, by a preset too.
        root: What was run before.
    """
    if cpu_has_bfloat16() or root.runs.exists() or not HYPERPARAMETERS.isdisjoint(given):
        return ""
    return (
        "This processor does not compute bfloat16, and in float32 the default's training takes "
        f"several times as long; {command('run --preset fast')} is a quick first run."
    )
