import math

import pytest

from components.evaluate.verdict import Champion, Score, ThresholdError, Verdict, already, decide


def judge(
    correct: int,
    champion: int | None = None,
    *,
    examples: int = 10_000,
    min_accuracy: float = 0.9,
    min_improvement: float = 0.0,
) -> Verdict:
    rival = None if champion is None else Champion("3", Score(champion, examples))
    return decide(
        Score(correct, examples),
        rival,
        min_accuracy=min_accuracy,
        min_improvement=min_improvement,
    )


def test_an_accuracy_equal_to_min_accuracy_passes_and_one_example_less_does_not() -> None:
    assert judge(9_000).passed
    assert not judge(8_999).passed


@pytest.mark.parametrize("hundredths", range(101))
def test_every_threshold_of_two_decimals_is_met_by_exactly_that_share(hundredths: int) -> None:
    assert judge(hundredths, examples=100, min_accuracy=hundredths / 100).passed
    assert not judge(hundredths - 1, examples=100, min_accuracy=hundredths / 100).passed


def test_an_improvement_equal_to_min_improvement_passes_and_one_example_less_does_not() -> None:
    assert judge(9_365, 9_355, min_improvement=0.001).passed
    assert not judge(9_364, 9_355, min_improvement=0.001).passed


@pytest.mark.parametrize("examples", [3, 7, 10, 100, 9_999])
def test_no_improvement_is_lost_to_floating_point(examples: int) -> None:
    for gained in range(1, min(examples, 100)):
        before = examples - gained
        for correct, expected in ((examples, True), (examples - 1, False)):
            found = judge(
                correct,
                before,
                examples=examples,
                min_accuracy=0,
                min_improvement=gained / examples,
            )
            assert found.passed is expected


def test_a_threshold_computed_with_floats_means_its_decimal_value() -> None:
    assert judge(30, 0, examples=100, min_accuracy=0, min_improvement=0.1 + 0.2).passed
    assert judge(30, examples=100, min_accuracy=0.1 + 0.2).passed


def test_an_equal_model_passes_without_a_required_improvement() -> None:
    assert judge(9_100, 9_100).passed
    assert not judge(9_099, 9_100).passed


def test_a_negative_min_improvement_lets_a_worse_model_pass() -> None:
    assert judge(9_050, 9_500, min_improvement=-1).passed


def test_a_better_model_below_min_accuracy_does_not_pass() -> None:
    assert not judge(8_900, 8_000).passed


@pytest.mark.parametrize("name", ["min_accuracy", "min_improvement"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 90, -1.5])
def test_a_threshold_that_is_no_share_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ThresholdError, match=f"{name} is"):
        judge(9_500, 9_000, **{name: value})  # type: ignore[arg-type]


def test_a_negative_min_accuracy_is_refused() -> None:
    with pytest.raises(ThresholdError, match="from 0 to 1"):
        judge(9_500, min_accuracy=-0.1)


def test_the_reason_names_the_figures_that_decided() -> None:
    assert judge(8_999).reason == ("accuracy 0.8999 (8,999 of 10,000) is below min_accuracy 0.9")
    assert judge(9_365, 9_355).reason == (
        "accuracy 0.9365 (9,365 of 10,000) is 0.0010 above version 3's 0.9355: "
        "enough for min_improvement 0"
    )
    assert "0.0010 below version 3's 0.9375: short of min_improvement 0" in judge(9365, 9375).reason
    assert "no champion" in judge(9_365).reason


def test_the_champion_itself_is_not_uploaded_again() -> None:
    again = already("7")
    assert again == Verdict(False, "the model is already version 7", unchanged=True)
    assert again.outcome == "unchanged"
