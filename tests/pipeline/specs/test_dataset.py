"""The description of the data is found, and the model is called after the data."""

from pathlib import Path
from typing import Any

import pytest

from components.ingest import fashion_mnist
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import UsageError
from pipeline.specs import dataset, parameters
from pipeline.specs import spec as specs
from tests.idx_files import described, write_idx_set

SPEC = specs.load(COMPILED / PIPELINE)


def resolved(**given: Any) -> dict[str, Any]:
    return parameters.resolve(SPEC, {"bucket_uri": "gs://b", **given})


def test_the_description_beside_a_source_here_is_the_parameter(tmp_path: Path) -> None:
    digests = write_idx_set(tmp_path, 2, 1)
    values = resolved(source=str(tmp_path))
    assert values["dataset"] == described(digests).as_dict()
    assert values["model_name"] == "fashion-mnist"
    again = parameters.options(values, ["source", "dataset", "seed"])
    assert again == f"-p seed=0 -p source={tmp_path}"
    for source in ("", "gs://bucket/data", "http://mirror/"):
        assert resolved(source=source)["dataset"] == {}


def test_what_is_given_stays(tmp_path: Path) -> None:
    write_idx_set(tmp_path, 2, 1)
    own = {**fashion_mnist.DESCRIPTION.as_dict(), "name": "My cats"}
    values = resolved(source=str(tmp_path), dataset=own)
    assert (values["dataset"], values["model_name"]) == (own, "my-cats")
    assert resolved(dataset=own, model_name="cats")["model_name"] == "cats"
    assert resolved()["model_name"] == "fashion-mnist"


def test_what_nothing_describes_is_a_model_of_its_own_too(tmp_path: Path) -> None:
    given = resolved(source=str(tmp_path / "My digits/"), allow_unverified=True)
    assert (given["model_name"], given["dataset"]) == ("my-digits", {})
    assert resolved(allow_unverified=True)["model_name"] == "fashion-mnist"


def test_other_data_need_a_source() -> None:
    own = {"name": "cats", "classes": ["a", "b"], "height": 32, "width": 32}
    with pytest.raises(UsageError, match="dataset describes cats: give the source of its files"):
        resolved(dataset=own, allow_unverified=True)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("FashionMNIST", "fashion-mnist"),
        ("Äpfel & Birnen", "äpfel-birnen"),
        ("猫", "猫"),
        ("../..", "pictures"),
    ],
)
def test_a_model_is_called_after_its_data(name: str, model: str) -> None:
    assert dataset.model_name(name) == model


def test_a_file_that_describes_nothing_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.json: No such file"):
        dataset.read(tmp_path / "none.json")
    (tmp_path / "dataset.json").write_text('{"name": "a"}')
    with pytest.raises(UsageError, match=r"dataset.json lacks classes, height, width"):
        resolved(source=str(tmp_path))
