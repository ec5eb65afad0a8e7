"""The names that a model has for its classes."""

from pathlib import Path

import numpy as np
import pytest

from components.dataset.description import NAME
from pipeline.notebook import ask, show_answer
from pipeline.notebook.artifacts import artifact
from serving.labels import class_names, description, expected
from tests.saved_models import COLOURED, GREY, make_classifier

SHAPES = ("circle", "square", "triangle")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classifier(tmp_path_factory.mktemp("models") / "shapes", SHAPES)


def test_all_names_are_found_in_the_model_by_one_that_it_answered(shapes: Path) -> None:
    assert class_names(shapes, 3, {2: "triangle"}) == list(SHAPES)


@pytest.mark.parametrize(
    ("answered", "names"),
    [
        ({}, ["class 0", "class 1", "class 2"]),
        ({1: "hexagon"}, ["class 0", "hexagon", "class 2"]),
    ],
)
def test_a_class_that_the_model_does_not_name_is_a_number(
    answered: dict[int, str], names: list[str], shapes: Path
) -> None:
    assert class_names(shapes, 3, answered) == names


def test_a_description_names_the_classes_unless_it_is_of_other_ones(tmp_path: Path) -> None:
    COLOURED.write(tmp_path)
    assert class_names(tmp_path, 3, {0: "hexagon"}) == list(COLOURED.classes)
    GREY.write(make_classifier(tmp_path, SHAPES))
    assert class_names(tmp_path, 3, {2: "triangle"}) == list(SHAPES)
    (tmp_path / NAME).unlink()
    assert description(tmp_path) is None


def test_what_a_model_expects_follows_from_its_description() -> None:
    assert expected(GREY) == "one subject, whole, upright, on a plain background, as in Leaves"
    assert expected(COLOURED) == "a picture like the ones in Signs"
    assert expected(None) == "a picture like the ones it was trained on"


def test_a_notebook_shows_an_answer_in_the_words_of_the_model(shapes: Path) -> None:
    picture = np.zeros((28, 28), np.uint8)
    picture[2] = 255
    answer = ask(artifact(shapes), picture)
    assert list(answer) == list(SHAPES)
    assert max(answer, key=lambda name: answer[name]) == "triangle"
    assert "The model&#x27;s answer: triangle 9" in show_answer(picture, answer).html
