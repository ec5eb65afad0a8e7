"""The gate: a table of rules that a challenger must meet to be uploaded.

A new rule is a function here with an entry in ``RULES``, and a parameter of its name in
``component.py`` and in the pipeline. Verdict and report list all rules.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from components.dataset.errors import StepError

TOLERANCE: Final = Fraction(1, 10**12)
"""Floats are no decimals: 0.1 + 0.2 means 0.3. One example more or less weighs far more."""

Figures = Mapping[str, Any]
"""Figures of a model as in the evaluation: examples, correct, per_class and so on."""


class ThresholdError(StepError):
    """A threshold that is not a number, or out of its range."""


class Finding(NamedTuple):
    """What a rule finds: the value to compare, if any, the outcome, and part of a sentence.

    The reason is empty when another rule's reason says it too.
    """

    value: float | None
    passed: bool
    reason: str = ""


class Rule(NamedTuple):
    """A rule; its threshold is the parameter of the same name.

    Attributes:
        find: From the challenger's figures, the champion's or None, and the threshold.
        lowest: The lowest threshold that makes sense; the highest is 1.
        off: The threshold with which the rule does not exist; None: there is no such.
    """

    find: Callable[[Figures, Figures | None, float], Finding]
    lowest: float = 0.0
    off: float | None = None


def min_accuracy(challenger: Figures, champion: Figures | None, threshold: float) -> Finding:
    """The share of correct test examples must be at least the threshold."""
    value = _accuracy(challenger)
    if not _reaches(value, threshold):
        reason = f"{_shown(challenger)} is below min_accuracy {threshold:g}"
        return Finding(float(value), False, reason)
    reason = "" if champion else f"{_shown(challenger)} reaches min_accuracy {threshold:g}"
    return Finding(float(value), True, reason)


def min_improvement(challenger: Figures, champion: Figures | None, threshold: float) -> Finding:
    """The accuracy must exceed the champion's by at least the threshold."""
    if champion is None:
        return Finding(None, True, "and there is no champion to compare with")
    better = _accuracy(challenger) - _accuracy(champion)
    passed = _reaches(better, threshold)
    direction = "above" if better > 0 else "below"
    amount = f"{abs(float(better)):.4f} {direction}" if better else "equal to"
    return Finding(
        float(better),
        passed,
        f"{_shown(challenger)} is {amount} version {champion['version']}'s "
        f"{float(_accuracy(champion)):.4f}: "
        f"{'enough for' if passed else 'short of'} min_improvement {threshold:g}",
    )


def min_recall(challenger: Figures, champion: Figures | None, threshold: float) -> Finding:
    """The recall of the worst class that has test examples must be at least the threshold."""
    recalls = [
        (Fraction(counts[label], sum(counts)), label)
        for label, counts in enumerate(challenger["confusion_matrix"])
        if any(counts)
    ]
    worst, label = min(recalls)
    if _reaches(worst, threshold):
        return Finding(float(worst), True)
    counts = challenger["confusion_matrix"][label]
    reason = (
        f"recall {float(worst):.4f} of {challenger['per_class'][label]['class']} "
        f"({counts[label]:,} of {sum(counts):,}) is below min_recall {threshold:g}"
    )
    return Finding(float(worst), False, reason)


RULES: Final[Mapping[str, Rule]] = {
    "min_accuracy": Rule(min_accuracy),
    "min_improvement": Rule(min_improvement, lowest=-1.0),
    "min_recall": Rule(min_recall, off=0.0),
}
"""The rules by the name of their threshold; the first that is not met gives the reason.

The step hands a threshold to each: a parameter, and an entry of ``thresholds`` in ``component.py``.
"""


def check(thresholds: Mapping[str, float]) -> None:
    """Refuses thresholds that no accuracy can be compared with.

    Args:
        thresholds: By the rule's name; not all have to be there.

    Raises:
        ThresholdError: A threshold is not finite, or is out of its range.
    """
    for name, value in thresholds.items():
        if not math.isfinite(value) or not RULES[name].lowest <= value <= 1.0:
            raise ThresholdError(
                f"{name} is {value}, expected a number from {RULES[name].lowest:g} to 1: "
                "0.9 is 90 %"
            )


def decide(
    challenger: Figures, champion: Figures | None, thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Decides by exact fractions, without rounding: equality passes.

    Figures of a champion also have ``version`` and ``same`` (whether the challenger is it).

    Returns:
        JSON values: passed; outcome (``passed``, ``not passed``, or ``unchanged`` for a model that
        is the champion); reason, as part of a sentence; and as rules name, threshold, value and
        passed of each that is not off.

    Raises:
        ThresholdError: A threshold is not finite, or is out of its range.
    """
    check(thresholds)
    found = {
        name: rule.find(challenger, champion, thresholds[name])
        for name, rule in RULES.items()
        if name in thresholds and thresholds[name] != rule.off
    }
    failed = [finding.reason for finding in found.values() if not finding.passed]
    outcome = "not passed" if failed else "passed"
    reasons = failed[:1] or [finding.reason for finding in found.values() if finding.reason]
    if champion and champion["same"]:
        outcome, reasons = "unchanged", [f"the model is already version {champion['version']}"]
    return {
        "passed": outcome == "passed",
        "outcome": outcome,
        "reason": ", ".join(reasons),
        "rules": [
            {"name": name, "threshold": thresholds[name], "value": value, "passed": passed}
            for name, (value, passed, _) in found.items()
        ],
    }


def sentence(verdict: Mapping[str, Any]) -> str:
    """The outcome and its reason, for a log."""
    return f"{verdict['outcome'].capitalize()}: {verdict['reason']}."


def _accuracy(figures: Figures) -> Fraction:
    return Fraction(figures["correct"], figures["examples"])


def _reaches(value: Fraction | float, threshold: float) -> bool:
    return Fraction(value) >= Fraction(threshold) - TOLERANCE


def _shown(figures: Figures) -> str:
    correct, examples = figures["correct"], figures["examples"]
    return f"accuracy {correct / examples:.4f} ({correct:,} of {examples:,})"
