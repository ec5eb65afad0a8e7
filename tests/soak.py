"""The sizes of the long tests, which ``-m soak`` passes, beside those of every day."""

from typing import Final

FUZZ_EXAMPLES: Final = 100_000
"""Inputs for each parser."""
SHORT_FUZZ_EXAMPLES: Final = 60
TRAINING_STEPS: Final = 120
"""Of the default network, twice for each precision."""
