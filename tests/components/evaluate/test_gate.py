import math
from typing import Any

import pytest

from components.evaluate import gate
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.definition import fashion_mnist
from pipeline.errors import UsageError
from pipeline.specs import parameters
from pipeline.specs import spec as specs


def judge(
    correct: int,
    champion: int | None = None,
    *,
    examples: int = 10_000,
    same: bool = False,
    **thresholds: float,
) -> dict[str, Any]:
    """The verdict on a model, as against a champion that is version 3."""
    rival = None
    if champion is not None:
        rival = {"version": "3", "same": same, "correct": champion, "examples": examples}
    given = {"min_accuracy": 0.9, "min_improvement": 0.0, **thresholds}
    return gate.decide({"correct": correct, "examples": examples}, rival, given)


def test_an_accuracy_equal_to_min_accuracy_passes_and_one_example_less_does_not() -> None:
    assert judge(9_000)["passed"]
    assert not judge(8_999)["passed"]
    assert not judge(8_900, 8_000)["passed"]


def test_no_improvement_is_lost_to_floating_point() -> None:
    for examples in (3, 7, 100, 9_999):
        for gained in range(1, min(examples, 100)):
            for lost, expected in ((0, True), (1, False)):
                rates: dict[str, Any] = {"min_accuracy": 0.0, "min_improvement": gained / examples}
                found = judge(examples - lost, examples - gained, examples=examples, **rates)
                assert found["passed"] is expected


def test_a_threshold_computed_with_floats_means_its_decimal_value() -> None:
    assert judge(30, 0, examples=100, min_accuracy=0.1 + 0.2, min_improvement=0.1 + 0.2)["passed"]


def test_an_equal_model_passes_and_a_worse_one_only_if_that_is_allowed() -> None:
    assert judge(9_100, 9_100)["passed"]
    assert not judge(9_099, 9_100)["passed"]
    assert judge(9_050, 9_500, min_improvement=-1)["passed"]


@pytest.mark.parametrize("name", gate.RULES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 90, -1.5])
def test_a_threshold_out_of_its_range_is_refused_by_name(name: str, value: float) -> None:
    for refuse in (gate.check, lambda given: judge(9_500, 9_000, **given)):
        with pytest.raises(gate.ThresholdError, match=rf"{name} is .*: 0\.9 is 90 %"):
            refuse({name: value})


def test_each_rule_has_its_own_range() -> None:
    gate.check({"min_improvement": -0.1})
    with pytest.raises(gate.ThresholdError, match="from 0 to 1"):
        gate.check({"min_accuracy": -0.1})


def test_the_reason_names_what_decided() -> None:
    reached = "accuracy 0.9365 (9,365 of 10,000)"
    assert judge(8_999)["reason"] == "accuracy 0.8999 (8,999 of 10,000) is below min_accuracy 0.9"
    assert judge(9_365)["reason"] == (
        f"{reached} reaches min_accuracy 0.9, and there is no champion to compare with"
    )
    assert gate.sentence(judge(9_365, 9_355)) == (
        f"Passed: {reached} is 0.0010 above version 3's 0.9355: enough for min_improvement 0."
    )
    assert gate.sentence(judge(9_365, 9_375)) == (
        f"Not passed: {reached} is 0.0010 below version 3's 0.9375: short of min_improvement 0."
    )
    assert "is equal to version 3's 0.9365" in judge(9_365, 9_365)["reason"]


def test_every_rule_is_listed_with_threshold_value_and_outcome() -> None:
    assert judge(9_000, 9_500, min_accuracy=0.5)["rules"] == [
        {"name": "min_accuracy", "threshold": 0.5, "value": 0.9, "passed": True},
        {"name": "min_improvement", "threshold": 0.0, "value": -0.05, "passed": False},
    ]
    assert judge(9_000)["rules"][1]["value"] is None


def recalled(*matrix: list[int], min_recall: float) -> dict[str, Any]:
    """The verdict on a model with this confusion matrix of a shirt, a bag and so on."""
    names = ("Shirt", "Bag", "Coat")[: len(matrix)]
    found = {
        "correct": sum(counts[label] for label, counts in enumerate(matrix)),
        "examples": sum(map(sum, matrix)),
        "confusion_matrix": list(matrix),
        "per_class": [{"class": name} for name in names],
    }
    return gate.decide(found, None, {"min_accuracy": 0.0, "min_recall": min_recall})


def test_the_recall_of_the_worst_class_with_examples_must_reach_min_recall() -> None:
    matrix = ([410, 590, 0], [0, 1000, 0], [0, 0, 0])
    refused = recalled(*matrix, min_recall=0.5)
    assert refused["reason"] == "recall 0.4100 of Shirt (410 of 1,000) is below min_recall 0.5"
    expected = {"name": "min_recall", "threshold": 0.5, "value": 0.41, "passed": False}
    assert refused["rules"][-1] == expected
    assert recalled(*matrix, min_recall=0.41)["passed"]
    assert not recalled([409, 591], [0, 1000], min_recall=0.41)["passed"]
    assert recalled([1, 2], [0, 5], min_recall=0.1 + 0.2)["passed"]


def test_a_rule_that_is_off_is_in_no_verdict() -> None:
    found = recalled([0, 1], [0, 1], min_recall=0.0)
    assert found["passed"]
    assert [rule["name"] for rule in found["rules"]] == ["min_accuracy"]


def test_the_champion_itself_is_not_uploaded_again() -> None:
    found = judge(9_365, 9_365, same=True)
    assert (found["passed"], found["outcome"]) == (False, "unchanged")
    assert gate.sentence(found) == "Unchanged: the model is already version 3."


@pytest.mark.parametrize("name", gate.RULES)
def test_a_threshold_out_of_its_range_is_refused_before_anything_starts(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is 90.0, expected a number"):
        parameters.resolve(specs.load(COMPILED / PIPELINE), {"bucket_uri": "gs://b", name: 90})


@pytest.mark.parametrize("name", gate.RULES)
def test_the_pipeline_passes_each_threshold_to_the_step_that_decides(name: str) -> None:
    task = fashion_mnist.pipeline_spec.root.dag.tasks["evaluate"]
    assert task.inputs.parameters[name].component_input_parameter == name
