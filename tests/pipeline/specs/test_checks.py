"""What the steps refuse is refused before anything starts."""

import copy
from pathlib import Path
from typing import Any

import pytest

from pipeline.compiler import COMPILED, DISTRIBUTED_PIPELINE, PIPELINE
from pipeline.errors import UsageError
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests import foreign, planted

SPEC = specs.load(COMPILED / PIPELINE)
BUCKET = {"bucket_uri": "gs://b"}
OWN = {"name": "My cats", "classes": ["a", "b"], "height": 32, "width": 32}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": planted.IN_ADDRESS}, "a user or a password"),
        ({"dataset": {"name": "a"}}, "dataset lacks classes, height, width"),
        ({"dataset": OWN}, "dataset has no digests, .* allow_unverified=true"),
        ({"shards": 0}, "shards is 0, expected 1 to 99999"),
        ({"validation_examples": 60_000}, "expected 0 to 59999"),
        ({"validation_examples": 59_995}, "all 6000 examples of class 0"),
        ({"validation_examples": -2, "allow_unverified": True}, "expected 0 or more"),
        ({"seed": -1}, "seed is -1; it must be a whole number, at least 0"),
        ({"seed": 2**31}, "seed is 2147483648; it must be"),
        ({"epochs": -1}, "epochs is -1; it must be a whole number, at least 0"),
        ({"hyperparameters": {"dropout": 1.5}}, "dropout is 1.5; it must be a number"),
        ({"precision": "fp16"}, "precision is 'fp16'; it must be one of auto"),
        ({"model_name": "a" * 200}, "cannot be a display name"),
        ({"champion_alias": "The best"}, "champion_alias 'The best' is neither an alias"),
        ({"min_accuracy": 90}, "min_accuracy is 90.0, expected a number from 0 to 1"),
        ({"serving_image": "my image"}, "serving_image is 'my image', which names no image"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_a_step_refuses_is_refused_before_anything_starts(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        parameters.resolve(SPEC, {**BUCKET, **given})


@pytest.mark.parametrize("alias", ["default", "none", "12", "run-20261124"])
def test_other_data_and_every_alias_that_can_exist_pass(alias: str) -> None:
    given = {"allow_unverified": True, "validation_examples": 70_000, "champion_alias": alias}
    parameters.resolve(SPEC, {**BUCKET, **given})


def test_workers_share_a_batch_evenly() -> None:
    spec = specs.load(COMPILED / DISTRIBUTED_PIPELINE)
    with pytest.raises(UsageError, match="batch_size is 255: the machines need a multiple of 2"):
        parameters.resolve(spec, {**BUCKET, "batch_size": 255})


def test_a_spec_of_an_earlier_version_keeps_the_hyperparameters_that_it_declares() -> None:
    spec = copy.deepcopy(SPEC)
    struct = specs.declared(spec)[parameters.STRUCT]["defaultValue"]
    del struct["members"]
    struct["momentum"] = 0.9
    values = parameters.resolve(spec, {**BUCKET, "epochs": 2})[parameters.STRUCT]
    assert values == {**struct, "epochs": 2}
    with pytest.raises(UsageError, match="no parameter 'members'"):
        parameters.resolve(spec, {**BUCKET, "members": 2})


def test_parameters_of_another_pipeline_mean_what_they_mean_there(tmp_path: Path) -> None:
    spec = specs.load(foreign.write(tmp_path))
    own = {"bucket_uri": "gs://b", "git_revision": "1"}
    assert parameters.resolve(spec, {}, own=own) == foreign.ARGUMENTS
    given = {"hyperparameters": {"width": 2}, "min_accuracy": 99.0, "seed": ""}
    expected = foreign.ARGUMENTS | given | {"hyperparameters": {"depth": 3, "width": 2}}
    assert parameters.resolve(spec, given) == expected
