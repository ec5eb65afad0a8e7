import dataclasses
import json
import math
from typing import Any

import pytest

from components.train.trainer.hyperparameters import PRESETS, HyperparameterError, Hyperparameters


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", -1, "a whole number, at least 0"),
        ("epochs", 1.5, "a whole number"),
        ("epochs", True, "a whole number"),
        ("epochs", math.inf, "a whole number"),
        ("learning_rate", 0.0, "a number, above 0"),
        ("learning_rate", math.nan, "a number"),
        ("learning_rate", 10**400, "a number"),
        ("learning_rate", "0.1", "a number"),
        ("dropout", 1.0, "a number, at least 0 and below 1"),
        ("filters", 32, "a list of 2 to 8 numbers"),
        ("filters", [32], "a list of 2 to 8 numbers"),
        ("filters", [32, 1], "each a whole number, at least 2"),
        ("augmentation", "mirror", "one of none, flip, shift, flip+shift"),
        ("optimizer", ["muon_sgd"], "one of muon_sgd"),
        ("train_on_validation", 1, "true or false"),
    ],
)
def test_a_value_that_training_cannot_use_is_refused_with_the_rule(
    name: str, value: Any, rule: str
) -> None:
    with pytest.raises(HyperparameterError) as error:
        Hyperparameters.of({name: value})
    assert str(error.value).startswith(f"{name} is {value!r}; it must be ")
    assert rule in str(error.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("epoch", "did you mean epochs?"), ("zzz", "there are: epochs, "), ("seed", "there are: ")],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(HyperparameterError, match=f"no hyperparameter '{name}'; ") as error:
        Hyperparameters.of({name: 1})
    assert hint in str(error.value)


def test_numbers_from_json_get_the_declared_type() -> None:
    given = Hyperparameters.of({"epochs": 3.0, "filters": [32.0, 64.0], "learning_rate": 1})
    assert (given.epochs, given.filters, given.learning_rate) == (3, (32, 64), 1.0)
    numbers = (given.epochs, *given.filters, given.learning_rate)
    assert [type(number) for number in numbers] == [int, int, int, float]


def test_all_values_survive_json() -> None:
    given = Hyperparameters(filters=(8, 16), augmentation="none", train_on_validation=True)
    assert Hyperparameters.of(json.loads(json.dumps(given.as_dict()))) == given


def test_every_preset_changes_what_it_names() -> None:
    defaults = Hyperparameters().as_dict()
    for values in PRESETS.values():
        changed = Hyperparameters.of(values).as_dict()
        assert {name for name in changed if changed[name] != defaults[name]} <= values.keys()
        assert changed != defaults


def test_every_hyperparameter_has_a_help_text_and_a_default_that_is_allowed() -> None:
    for field in dataclasses.fields(Hyperparameters):
        assert field.metadata["help"].endswith(".")
        rule = field.metadata["rule"]
        assert rule.check(field.name, field.default, field.default) == field.default
