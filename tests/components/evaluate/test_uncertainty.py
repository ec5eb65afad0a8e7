import math

import pytest

from components.evaluate.uncertainty import accuracy_interval, chance


def test_at_the_ends_of_the_interval_the_accuracy_is_1_96_standard_deviations_away() -> None:
    for correct, examples in ((9000, 10_000), (3, 10)):
        for end in accuracy_interval(correct, examples):
            deviation = math.sqrt(end * (1 - end) / examples)
            assert abs(correct / examples - end) / deviation == pytest.approx(1.96, abs=1e-4)


def test_the_interval_stays_within_0_and_1() -> None:
    assert accuracy_interval(10, 10)[1] == pytest.approx(1.0)
    assert 0.6 < accuracy_interval(10, 10)[0] < 1.0
    assert accuracy_interval(0, 10)[0] == pytest.approx(0.0)


def test_chance_is_the_two_sided_sign_test() -> None:
    assert chance(8, 2) == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert chance(2, 8) == chance(8, 2)
    assert chance(5, 0) == pytest.approx(2 / 2**5)


def test_an_equal_exchange_is_all_chance() -> None:
    assert chance(7, 7) == 1.0
    assert chance(0, 0) == 1.0


def test_chance_of_thousands_of_examples_is_computed_exactly() -> None:
    normal = math.erfc((5100 - 4900 - 1) / math.sqrt(10_000) / math.sqrt(2))
    assert chance(5100, 4900) == pytest.approx(normal, rel=1e-3)
