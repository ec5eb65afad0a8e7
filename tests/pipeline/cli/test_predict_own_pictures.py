"""Models that were trained on other pictures than FashionMNIST's."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.dataset.description import NAME, Description
from pipeline.runs.chosen_model import ChosenModel
from tests.pipeline.cli.conftest import ROOT, Call
from tests.pipeline.local_registry import add_version
from tests.saved_models import COLOURED, GREY, make_described, picture_of


@pytest.fixture(scope="module", params=[COLOURED, GREY], ids=lambda about: about.name)
def about(request: pytest.FixtureRequest) -> Description:
    described: Description = request.param
    return described


@pytest.fixture(scope="module")
def model(about: Description, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_described(tmp_path_factory.mktemp("models") / "model", about)


def test_the_classes_and_what_the_network_saw_are_as_the_data_set_says(
    call: Call, about: Description, model: Path
) -> None:
    light = picture_of(1, shape=about.shape)
    Path("one.png").write_bytes(light)
    done = call(
        "predict", "--model", str(model), "--save", "seen", "--json", "--top", "9", "one.png"
    )
    assert done.exit_code == 0, done.output
    best, *others = json.loads(done.stdout)[0]["predictions"]
    assert best["class"] == about.classes[1]
    assert {one["class"] for one in (best, *others)} == set(about.classes)
    with Image.open("seen/one.png") as seen, Image.open("one.png") as given:
        assert np.array_equal(np.asarray(seen), np.asarray(given))


def test_rows_have_its_classes_and_the_only_model_needs_no_name(
    call: Call, about: Description, model: Path
) -> None:
    add_version(ROOT, model, model="own-pictures")
    Path("photos").mkdir()
    for number in range(len(about.classes)):
        Path(f"photos/{number}.png").write_bytes(picture_of(number, shape=about.shape))
    done = call("predict", "photos", "--csv", "rows.csv")
    assert done.exit_code == 0, done.output
    assert f"{len(about.classes)} answers by own-pictures version 1" in done.stderr
    found = [row.split(",")[1] for row in Path("rows.csv").read_text().splitlines()[1:]]
    assert found == list(about.classes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "is not JSON"), ('{"name": "a"}', "lacks classes, height, width")],
)
def test_a_damaged_description_is_one_line(
    content: str, reason: str, call: Call, model: Path
) -> None:
    Path("model").mkdir()
    for path in model.iterdir():
        if path.name != NAME:
            Path("model", path.name).symlink_to(path)
    Path("model", NAME).write_text(content)
    Path("one.png").write_bytes(picture_of(1))
    done = call("predict", "--model", "model", "one.png")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert re.search(f"cannot be asked about photos .*{NAME}.* {reason}", done.stderr)


def test_a_model_is_what_its_directory_says(
    about: Description, model: Path, tmp_path: Path
) -> None:
    assert ChosenModel(model, "a model", {}).description == about
    assert ChosenModel(tmp_path, "another", {}).description is None
