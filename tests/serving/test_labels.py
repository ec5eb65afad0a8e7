"""The names that a model has for its classes."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.notebook import ask, show_answer
from pipeline.notebook.artifacts import artifact
from serving.labels import class_names
from tests.saved_models import make_classifier

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


def test_a_notebook_shows_an_answer_in_the_words_of_the_model(shapes: Path) -> None:
    picture = np.zeros((28, 28), np.uint8)
    picture[2] = 255
    answer = ask(artifact(shapes), picture)
    assert list(answer) == list(SHAPES)
    assert max(answer, key=lambda name: answer[name]) == "triangle"
    assert "The model&#x27;s answer: triangle 9" in show_answer(picture, answer).html
