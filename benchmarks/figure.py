"""A measured figure: its repeats, their median and spread, and the target it is held against."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """What a figure should reach.

    Attributes:
        limit: In the unit of the figure.
        at_most: Whether it is an upper limit.
    """

    limit: float
    at_most: bool = False

    def met(self, value: float) -> bool:
        """Whether ``value`` reaches it."""
        return value <= self.limit if self.at_most else value >= self.limit


@dataclass(frozen=True)
class Figure:
    """A row of the table.

    Attributes:
        name: What was measured, and against what.
        values: A figure for each repeat, at least one; infinite where a time never came.
        unit: Of the values; empty for a ratio or a share.
        target: What it is held against, if anything.
        detail: The medians that the figure was made from, for a person.
    """

    name: str
    values: Sequence[float]
    unit: str = ""
    target: Target | None = None
    detail: str = ""

    @property
    def median(self) -> float:
        """Of the values."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the target; None without one."""
        return self.target.met(self.median) if self.target else None

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Figure":
        """The figure from its ``as_json``."""
        target = None
        if facts["target"] is not None:
            target = Target(facts["target"], facts["at_most"])
        values = [math.inf if value is None else value for value in facts["values"]]
        return cls(facts["name"], values, facts["unit"], target, facts["detail"])

    def as_json(self) -> dict[str, Any]:
        """All of it, ready for JSON, which has no infinity: null stands for it."""
        median, *values = (
            value if math.isfinite(value) else None for value in (self.median, *self.values)
        )
        return {
            "name": self.name,
            "unit": self.unit,
            "median": median,
            "values": values,
            "target": self.target.limit if self.target else None,
            "at_most": self.target.at_most if self.target else None,
            "met": self.met,
            "detail": self.detail,
        }


def ratio(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    target: Target | None,
    *,
    unit: str,
    labels: tuple[str, str] = ("ours", "theirs"),
) -> Figure:
    """Ours divided by theirs, repeat by repeat.

    Args:
        name: What was measured.
        ours: A value for each repeat.
        theirs: The other side's, measured next to it.
        target: For the ratio.
        unit: Of the values.
        labels: What the two sides are called in the detail.
    """
    detail = ", ".join(
        f"{label} {number(statistics.median(values))} {unit}"
        for label, values in zip(labels, (ours, theirs), strict=True)
    )
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Figure(name, ratios, target=target, detail=detail)


def number(value: float) -> str:
    """Four significant digits, thousands set apart."""
    if math.isinf(value):
        return "∞"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
