"""How much of a figure, or of a difference, may be the luck of the test examples."""

import math
from typing import Final

SCORE_95: Final = 1.959964
"""Standard deviations of a normal distribution around its mean that hold 95 % of it."""


def accuracy_interval(correct: int, examples: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of an accuracy, 0 to 1.

    Args:
        correct: Examples classified correctly.
        examples: All examples, at least 1.
    """
    share, weight = correct / examples, SCORE_95**2 / examples
    middle = share + weight / 2
    half = SCORE_95 * math.sqrt(share * (1 - share) / examples + weight / (4 * examples))
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


def chance(gained: int, lost: int) -> float:
    """How often two equally good models would differ at least so much: the exact sign test.

    Only the examples count that one of the two models gets right (McNemar's test).

    Args:
        gained: Examples that only the new model gets right.
        lost: Examples that only the old one gets right.

    Returns:
        The two-sided p-value, above 0 to 1.
    """
    trials = gained + lost
    ways = tail = 1
    for fewer in range(min(gained, lost)):
        ways = ways * (trials - fewer) // (fewer + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << trials))
