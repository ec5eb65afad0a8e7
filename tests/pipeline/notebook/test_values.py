from typing import Any

import numpy as np
import pytest

from pipeline.errors import UsageError
from pipeline.notebook.values import all_typed, typed


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [
        ("STRING", "fast", "fast"),
        ("NUMBER_INTEGER", 3, 3),
        ("NUMBER_INTEGER", 3.0, 3),
        ("NUMBER_INTEGER", np.int64(3), 3),
        ("NUMBER_DOUBLE", 1, 1.0),
        ("NUMBER_DOUBLE", np.float32(0.5), 0.5),
        ("BOOLEAN", False, False),
        ("LIST", (16.0, 32), [16, 32]),
        ("STRUCT", {}, {}),
    ],
)
def test_a_value_gets_the_type_of_the_spec(kind: str, given: Any, taken: Any) -> None:
    found = typed("name", given, kind)
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("STRING", 1, "takes text"),
        ("NUMBER_INTEGER", 3.5, "takes a whole number"),
        ("NUMBER_INTEGER", "3", "takes a whole number"),
        ("NUMBER_INTEGER", True, "takes a whole number"),
        ("NUMBER_DOUBLE", "high", "takes a number"),
        ("NUMBER_DOUBLE", float("nan"), "takes a number"),
        ("BOOLEAN", 1, "takes True or False"),
        ("LIST", "16", "takes a list, as in"),
        ("STRUCT", [1], "takes a dictionary"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, given: Any, expected: str) -> None:
    with pytest.raises(UsageError, match=f"size=.*: size {expected}"):
        typed("size", given, kind)


def test_a_name_that_is_not_declared_is_refused_with_those_that_are_near() -> None:
    declared = {"epochs": {"parameterType": "NUMBER_INTEGER"}}
    with pytest.raises(UsageError, match="the step has no parameter 'epoch'; did you mean epochs"):
        all_typed("the step", {"epoch": 1}, declared)
