"""How long the long forms of tests last: marker ``soak``, ``make soak``, not part of CI."""

import os
from typing import Final

import pytest
from _pytest.mark import ParameterSet

SCALE: Final = float(os.environ.get("SOAK") or 1)
"""The environment variable SOAK: by how much the rounds of the long forms are multiplied."""
SECONDS: Final = 3600
"""The longest that one test may take."""


def rounds(number: int) -> int:
    """``number`` times what SOAK says, at least one."""
    return max(1, round(number * SCALE))


def long(*values: object) -> ParameterSet:
    """The long form of a test's parameters, beside the short one: numbers are ``rounds``."""
    scaled = [rounds(value) if type(value) is int else value for value in values]
    names = [str(value) for value in values]
    marks = [pytest.mark.soak, pytest.mark.timeout(SECONDS)]
    return pytest.param(*scaled, marks=marks, id="-".join(["soak", *names]))


FUZZ_EXAMPLES: Final = rounds(100_000)
"""Inputs for each parser."""
SHORT_FUZZ_EXAMPLES: Final = 60
TRAINING_STEPS: Final = 120
"""Of the default network, twice for each precision."""
