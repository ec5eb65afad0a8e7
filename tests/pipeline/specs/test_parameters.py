import json
import shlex
from typing import Any

import pytest

from components.train.component import train
from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import UsageError
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests import planted

SPEC = specs.load(COMPILED / PIPELINE)
BUCKET = {"bucket_uri": "gs://b"}


def resolved(*assignments: str, **options: Any) -> dict[str, Any]:
    return parameters.resolve(SPEC, {**BUCKET, **parameters.parse(assignments, SPEC)}, **options)


def test_texts_become_values_of_the_declared_types() -> None:
    given = [
        "bucket_uri=gs://b/with=equals",
        "shards=3",
        "min_accuracy=1e-1",
        "allow_unverified=True",
        'dataset={"a": "b"}',
        "epochs=2",
        "learning_rate=1",
        "filters=[16, 32]",
        "train_on_validation=true",
    ]
    assert parameters.parse(given, SPEC) == {
        "bucket_uri": "gs://b/with=equals",
        "shards": 3,
        "min_accuracy": 0.1,
        "allow_unverified": True,
        "dataset": {"a": "b"},
        "epochs": 2,
        "learning_rate": 1.0,
        "filters": [16, 32],
        "train_on_validation": True,
    }


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("epochs=three", "epochs takes a whole number"),
        (f"seed={2**53 + 1}", "seed takes a whole number"),
        ("learning_rate=fast", "learning_rate takes a number"),
        ("learning_rate=nan", "learning_rate takes a number"),
        ("allow_unverified=yes", "allow_unverified takes true or false"),
        ("filters=[NaN]", "filters takes a JSON list"),
        ("dataset=[]", "dataset takes a JSON object"),
        ("epoch=3", "did you mean epochs"),
        ("zzz=3", "there are: allow_unverified, architecture"),
    ],
)
def test_an_unknown_name_or_a_value_of_another_type_is_refused(
    assignment: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        parameters.parse([assignment], SPEC)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        (planted.IN_ADDRESS, r"-p http://\*\*\*@mirror.invalid/data/: give a parameter as name"),
        (planted.SIGNED, r"/data/\?\*\*\*: give a parameter as name=value"),
        (f"epochs={planted.IN_ADDRESS}", "epochs takes a whole number"),
    ],
)
def test_errors_do_not_repeat_credentials(assignment: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parameters.parse([assignment], SPEC)
    assert not planted.told(str(caught.value))


def test_the_pipeline_and_the_step_have_all_hyperparameters_as_their_default() -> None:
    assert resolved()[parameters.STRUCT] == Hyperparameters().as_dict()
    assert train.component_spec.inputs[parameters.STRUCT].default == Hyperparameters().as_dict()


def test_hyperparameters_find_their_place_in_the_struct() -> None:
    values = resolved("learning_rate=0.06", "filters=[16, 32]")
    expected = Hyperparameters(learning_rate=0.06, filters=(16, 32)).as_dict()
    assert values[parameters.STRUCT] == expected
    assert type(values[parameters.STRUCT]["epochs"]) is int
    assert "learning_rate" not in values
    assert parameters.flat(values)["learning_rate"] == 0.06


def test_what_is_given_wins_over_the_preset_and_that_over_the_defaults() -> None:
    struct = resolved("epochs=5", 'hyperparameters={"dropout": 0.25}', preset="accurate")[
        "hyperparameters"
    ]
    assert (struct["epochs"], struct["dropout"]) == (5, 0.25)
    assert struct["filters"] == PRESETS["accurate"]["filters"]
    assert struct["batch_size"] == Hyperparameters().batch_size


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hyperparameters": {"epoch": 1}}, "no parameter 'epoch'; did you mean epochs"),
        ({"epochs": "3"}, "epochs='3': epochs takes a whole number"),
        ({"epoch": 3}, "no parameter 'epoch'; did you mean epochs"),
        ({"seed": 10**400}, "seed takes a whole number, with at most 15"),
    ],
)
def test_a_value_that_does_not_fit_the_spec_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parameters.resolve(SPEC, {**BUCKET, **given})


def test_a_missing_value_and_an_unknown_preset_are_refused() -> None:
    with pytest.raises(UsageError, match="give a value for bucket_uri"):
        parameters.resolve(SPEC, {})
    with pytest.raises(UsageError, match=r"--preset huge: .* choose accurate, best, fast or"):
        resolved(preset="huge")


def test_an_optional_value_without_a_default_is_not_set_and_a_default_makes_optional() -> None:
    root = {
        "text": {"parameterType": "STRING", "defaultValue": "plum"},
        "serving_image": {"parameterType": "STRING", "isOptional": True},
        "hyperparameters": {"parameterType": "STRUCT", "isOptional": True},
    }
    tasks = {"inputDefinitions": {"parameters": root}, "dag": {"tasks": {}}}
    spec = {"root": tasks, "components": {}}
    assert parameters.resolve(spec, {}) == {"text": "plum"}
    assert parameters.resolve(spec, {"serving_image": "a"}) == {
        "text": "plum",
        "serving_image": "a",
    }
    assert [one.text for one in parameters.describe(spec)] == ["(not set)", "plum"]


def test_changes_from_the_defaults_become_options_that_give_them_again() -> None:
    values = resolved("learning_rate=0.06", "filters=[16, 32]", "model_name=Shoe model")
    changed = parameters.changed(values, SPEC)
    default = Hyperparameters().as_dict()
    assert changed == {
        "learning_rate": default["learning_rate"],
        "filters": default["filters"],
        "model_name": "fashion-mnist",
    }
    options = parameters.options(parameters.flat(values), changed)
    assert resolved(*shlex.split(options.replace("-p ", ""))) == values


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_changes_what_it_names(name: str) -> None:
    changed = parameters.changed(resolved(preset=name), SPEC).keys()
    assert changed <= PRESETS[name].keys()
    assert changed


def test_every_parameter_is_described_with_its_default() -> None:
    known = {one.name: one for one in parameters.describe(SPEC)}
    assert all(one.description for one in known.values())
    assert (known["epochs"].text, known["bucket_uri"].text) == (
        str(Hyperparameters().epochs),
        "(set by run)",
    )
    assert known["filters"].as_json()["kind"] == "a JSON list"
    assert set(Hyperparameters().as_dict()) == {
        name for name, one in known.items() if one.is_hyperparameter
    }
    json.dumps([one.as_json() for one in known.values()])


def test_a_step_by_itself_is_not_a_pipeline() -> None:
    step = specs.load(COMPILED / "components" / "decode.yaml")
    with pytest.raises(UsageError, match="of a step that reads raw: run the whole"):
        parameters.resolve(step, {})
