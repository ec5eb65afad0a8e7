import json
import math

import pytest

from benchmarks.figure import Figure, Target, number, ratio


def test_a_ratio_is_taken_pair_by_pair_and_told_by_its_median() -> None:
    figure = ratio("decode", [1.0, 4.0, 9.0], [1.0, 2.0, 3.0], Target(2), unit="s")
    assert figure.values == [1.0, 2.0, 3.0]
    assert figure.median == 2.0
    assert figure.detail == "ours 4 s, theirs 2 s"


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (2.0, Target(2), True),
        (1.9, Target(2), False),
        (2.0, Target(2, at_most=True), True),
        (2.1, Target(2, at_most=True), False),
        (2.0, None, None),
    ],
)
def test_a_target_is_a_limit_from_below_or_from_above(
    value: float, target: Target | None, met: bool | None
) -> None:
    figure = Figure("speed", [value], target=target)
    assert figure.met is met
    assert figure.as_json()["met"] is met


def test_numbers_have_four_digits_or_thousands() -> None:
    assert [number(value) for value in (0.123456, 12.3456, 12345.6)] == [
        "0.1235",
        "12.35",
        "12,346",
    ]


def test_what_never_came_is_infinite_and_null_in_json() -> None:
    figure = Figure("time", [1.0, math.inf, math.inf])
    facts = json.loads(json.dumps(figure.as_json(), allow_nan=False))
    assert (facts["median"], facts["values"]) == (None, [1.0, None, None])
    assert Figure.from_json(facts).values == figure.values
    assert number(figure.median) == "∞"
