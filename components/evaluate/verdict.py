"""Whether a challenger is good enough to be uploaded, and why."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from components.dataset.errors import StepError

TOLERANCE: Final = Fraction(1, 10**12)
"""Floats are no decimals: 0.1 + 0.2 means 0.3. An example more or less weighs far more."""


class ThresholdError(StepError):
    """A threshold that is no number, or outside of what an accuracy can be."""


@dataclass(frozen=True)
class Score:
    """Right answers on the test examples.

    Attributes:
        correct: Examples classified correctly.
        examples: All examples, at least 1.
    """

    correct: int
    examples: int

    def __str__(self) -> str:
        return f"{self.correct / self.examples:.4f}"


@dataclass(frozen=True)
class Champion:
    """The version to beat and its score on the same examples."""

    version: str
    score: Score


@dataclass(frozen=True)
class Verdict:
    """The decision and its reason, part of a sentence without a stop."""

    passed: bool
    reason: str
    unchanged: bool = False

    @property
    def outcome(self) -> str:
        """``passed``, ``not passed``, or ``unchanged`` for a model that is the champion."""
        if self.unchanged:
            return "unchanged"
        return "passed" if self.passed else "not passed"


def decide(
    challenger: Score, champion: Champion | None, *, min_accuracy: float, min_improvement: float
) -> Verdict:
    """Decides by counts of right answers, without rounding: equality passes.

    Args:
        challenger: The new model's score.
        champion: The version to beat, scored on the same examples, or None.
        min_accuracy: Least accuracy, 0 to 1.
        min_improvement: By how much the accuracy must exceed the champion's, -1 to 1.

    Raises:
        ThresholdError: A threshold is not a number, infinite, or out of its range.
    """
    least = _least("min_accuracy", min_accuracy, 0.0)
    margin = _least("min_improvement", min_improvement, -1.0)
    accuracy = Fraction(challenger.correct, challenger.examples)
    reached = f"accuracy {challenger} ({challenger.correct:,} of {challenger.examples:,})"
    if accuracy < least:
        return Verdict(False, f"{reached} is below min_accuracy {min_accuracy:g}")
    if champion is None:
        return Verdict(
            True,
            f"{reached} reaches min_accuracy {min_accuracy:g}, "
            "and there is no champion to compare with",
        )
    passed = accuracy - Fraction(champion.score.correct, champion.score.examples) >= margin
    return Verdict(passed, f"{reached} {_compared(challenger, champion, passed, min_improvement)}")


def already(version: str) -> Verdict:
    """The verdict on a challenger that is the champion itself."""
    return Verdict(False, f"the model is already version {version}", unchanged=True)


def _compared(challenger: Score, champion: Champion, passed: bool, min_improvement: float) -> str:
    difference = challenger.correct - champion.score.correct
    direction = "above" if difference > 0 else "below"
    amount = (
        f"{abs(difference) / challenger.examples:.4f} {direction}" if difference else "equal to"
    )
    needed = f"{'enough for' if passed else 'short of'} min_improvement {min_improvement:g}"
    return f"is {amount} version {champion.version}'s {champion.score}: {needed}"


def _least(name: str, value: float, lowest: float) -> Fraction:
    if not math.isfinite(value) or not lowest <= value <= 1.0:
        raise ThresholdError(
            f"{name} is {value}, expected a number from {lowest:g} to 1; "
            f"accuracies are shares, so 90 % is -p {name}=0.9"
        )
    return Fraction(value) - TOLERANCE
