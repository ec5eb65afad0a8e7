import json
import math
from pathlib import Path
from typing import Any

import pytest

from components.train.trainer.util import (
    AUGMENTATIONS,
    HyperparameterError,
    Hyperparameters,
    write_json,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("seed", True),
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", "three"),
        ("train_steps", -1),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("learning_rate", "0.1"),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", math.nan),
        ("filters", ()),
        ("filters", (32,)),
        ("filters", (2, 2, 2, 2, 2)),
        ("filters", (32, 0)),
        ("filters", (32, 6.5)),
        ("filters", 32),
        ("dense_units", -1),
        ("label_smoothing", 1),
        ("augmentation", "mirror"),
        ("precision", "float16"),
        ("train_on_validation", "no"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(HyperparameterError, match=rf"^{name} is .*{value!r}|^{name} is "):
        Hyperparameters(**{name: value})


def test_an_unknown_augmentation_is_answered_with_the_choices() -> None:
    with pytest.raises(HyperparameterError) as error:
        Hyperparameters(augmentation="mirror")
    assert all(choice in str(error.value) for choice in AUGMENTATIONS)


def test_whole_floats_as_json_brings_them_become_integers() -> None:
    values: Any = {"epochs": 3.0, "filters": [32.0, 64.0], "learning_rate": 1}
    given = Hyperparameters(**values)
    assert (given.epochs, given.filters, given.learning_rate) == (3, (32, 64), 1.0)
    assert isinstance(given.epochs, int)
    assert all(isinstance(width, int) for width in given.filters)


def test_all_values_survive_json() -> None:
    given = Hyperparameters(filters=(8, 16), augmentation="none")
    assert Hyperparameters(**json.loads(json.dumps(given.as_dict()))) == given


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_json_is_not_written(value: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "metrics.json", {"loss": value})
    assert not (tmp_path / "metrics.json").exists()
