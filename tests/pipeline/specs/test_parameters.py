import json

import pytest

from components.train.trainer.presets import PRESETS
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import UsageError
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests import planted

SPEC = {
    "root": {
        "inputDefinitions": {
            "parameters": {
                "bucket_uri": {"parameterType": "STRING"},
                "epochs": {
                    "parameterType": "NUMBER_INTEGER",
                    "isOptional": True,
                    "defaultValue": 7.0,
                },
                "learning_rate": {"parameterType": "NUMBER_DOUBLE", "isOptional": True},
                "train_on_validation": {"parameterType": "BOOLEAN", "isOptional": True},
                "filters": {"parameterType": "LIST", "isOptional": True},
                "digests": {"parameterType": "STRUCT", "isOptional": True},
            }
        }
    }
}


def test_each_type_is_read_as_the_spec_declares_it() -> None:
    given = [
        "bucket_uri=gs://b/with=equals",
        "epochs=3",
        "learning_rate=1e-3",
        "train_on_validation=True",
        "filters=[16, 32]",
        'digests={"a": "b"}',
    ]
    assert parameters.parse(given, SPEC) == {
        "bucket_uri": "gs://b/with=equals",
        "epochs": 3,
        "learning_rate": 0.001,
        "train_on_validation": True,
        "filters": [16, 32],
        "digests": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("epochs=three", "epochs takes a whole number"),
        ("epochs=3.5", "epochs takes a whole number"),
        ("learning_rate=fast", "learning_rate takes a number"),
        ("learning_rate=nan", "learning_rate takes a number"),
        ("learning_rate=inf", "learning_rate takes a number"),
        ("train_on_validation=yes", "train_on_validation takes true or false"),
        ("filters=16", "filters takes a JSON list"),
        ("filters=[16", "filters takes a JSON list"),
        ("digests=[]", "digests takes a JSON object"),
        ("epochs", "give a parameter as name=value"),
        (f"epochs={2**53 + 1}", "epochs takes a whole number"),
        (f"epochs={'9' * 5000}", "epochs takes a whole number"),
        ("filters=[NaN]", "filters takes a JSON list"),
        ("filters=[1e999]", "filters takes a JSON list"),
        pytest.param(f"filters={'[' * 100_000}", "filters takes a JSON list", id="deep"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(assignment: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parameters.parse([assignment], SPEC)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        (planted.IN_ADDRESS, r"-p http://\*\*\*@mirror.invalid/data/: give a parameter as name"),
        (f"http://u:with={planted.SECRET}@h/", r"-p http://\*\*\*@h/: give a parameter as name"),
        (f"http://u:{planted.SECRET}=half@h/", r"-p http://\*\*\*@h/: give a parameter as name"),
        (planted.SIGNED, r"/data/\?\*\*\*: give a parameter as name=value"),
        (f"epochs={planted.IN_ADDRESS}", "epochs takes a whole number"),
    ],
)
def test_an_address_in_the_wrong_place_is_told_without_its_credentials(
    assignment: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parameters.parse([assignment], SPEC)
    assert not planted.told(str(caught.value))


def test_an_unknown_parameter_names_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="did you mean epochs"):
        parameters.parse(["epoch=3"], SPEC)


def test_an_unknown_parameter_far_from_any_lists_them_all() -> None:
    with pytest.raises(UsageError, match="there are: bucket_uri, digests, epochs"):
        parameters.parse(["zzz=3"], SPEC)


def test_defaults_complete_the_given_values() -> None:
    values = parameters.complete({"bucket_uri": "gs://b"}, SPEC)
    assert values["bucket_uri"] == "gs://b"
    assert values["epochs"] == 7
    assert isinstance(values["epochs"], int)


def test_a_required_parameter_without_a_value_is_named() -> None:
    with pytest.raises(UsageError, match="give a value for bucket_uri"):
        parameters.complete({}, SPEC)


def test_a_preset_gives_parameters_of_the_pipeline() -> None:
    spec = specs.load(COMPILED / PIPELINE)
    for name in PRESETS:
        values = parameters.of_preset(name)
        texts = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in values.items()
        }
        given = [f"{key}={text}" for key, text in texts.items()]
        assert parameters.parse(given, spec) == values


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"--preset huge: .* choose best, fast or tutorial"):
        parameters.of_preset("huge")


def test_of_the_parameters_with_another_value_than_the_default_the_default_is_kept() -> None:
    values = parameters.complete({"bucket_uri": "gs://b", "epochs": 3, "digests": {}}, SPEC)
    assert parameters.changed(values, SPEC) == {"epochs": 7, "digests": None}


def test_the_preset_of_the_compiled_pipeline_differs_in_what_it_sets() -> None:
    spec = specs.load(COMPILED / PIPELINE)
    values = parameters.complete({"bucket_uri": "gs://b", **parameters.of_preset("fast")}, spec)
    assert parameters.changed(values, spec).keys() == PRESETS["fast"].keys()


def test_a_value_without_a_parameter_is_refused_and_may_be_left_out_before() -> None:
    values = {"bucket_uri": "gs://b", "epoch": 3}
    with pytest.raises(UsageError, match="no parameter 'epoch'; did you mean epochs"):
        parameters.complete(values, SPEC)
    assert parameters.known(values, SPEC) == {"bucket_uri": "gs://b"}


def test_a_step_by_itself_is_no_pipeline() -> None:
    step = specs.load(COMPILED / "components" / "decode.yaml")
    with pytest.raises(UsageError, match="of a step that reads raw: run the whole"):
        parameters.complete({}, step)
