"""How long the long forms of tests last: marker ``soak``, ``make soak``, not part of CI."""

import os
from typing import Final

import pytest

SCALE: Final = float(os.environ.get("SOAK") or 1)
"""The environment variable SOAK: by how much the rounds of the long forms are multiplied."""
SECONDS: Final = 3600
"""The longest that one test may take."""


def rounds(number: int) -> int:
    """``number`` times what SOAK says, at least one."""
    return max(1, round(number * SCALE))


def long(number: int) -> object:
    """The long form of a test's parameter, beside the short one: ``rounds(number)``."""
    marks = [pytest.mark.soak, pytest.mark.timeout(SECONDS)]
    return pytest.param(rounds(number), marks=marks, id="soak")


FUZZ_EXAMPLES: Final = rounds(100_000)
"""Inputs for each parser."""
SHORT_FUZZ_EXAMPLES: Final = 60
TRAINING_STEPS: Final = 120
"""Of the default network, twice for each precision."""
