"""Settings of all benchmarks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        repeats: Of each comparison; the sides take turns.
        seeds: Training runs of each preset, with the seeds 0 to ``seeds`` - 1.
        quick: Short runs that show that everything works; their figures say nothing.
        raw: The directory of the four raw files.
        scratch: For everything that is removed at the end.
        say: Tells a person what is being measured.
    """

    repeats: int
    seeds: int
    quick: bool
    raw: Path
    scratch: Path
    say: Callable[[str], None]
