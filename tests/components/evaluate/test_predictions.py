import contextlib
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from components.dataset.description import Description
from components.dataset.startup import PINS, PREDICTIONS
from components.evaluate import predictions
from components.evaluate.predictions import ModelError, predict
from tests.idx_files import FASHION
from tests.saved_models import make_classifier

IMAGES = np.zeros([3, 28, 28], np.uint8)


def test_no_prediction_is_computed_twice(
    wrong_on_10: Path,
    make_model: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(
        model: Path = wrong_on_10, images: np.ndarray = IMAGES, about: Description = FASHION
    ) -> np.ndarray:
        return predict(model, images, about, name="the model", cure="train again")

    without = ask()
    monkeypatch.setenv(PREDICTIONS, str(tmp_path / "kept"))
    assert_array_equal(ask(), without)
    computed = []

    def compute(*arguments: Any) -> np.ndarray:
        computed.append(arguments)
        return np.ones([3, 10], np.float32)

    monkeypatch.setattr(predictions, "_predict", compute)
    copy = shutil.copytree(wrong_on_10, tmp_path / "copy")
    assert_array_equal(ask(copy), without)
    assert not computed
    # Anything that decides the answer, and only that, makes it another question.
    (copy / "version.json").write_text("{}")
    assert_array_equal(ask(copy), without)
    ask(images=IMAGES + 1)
    ask(make_model(11))
    ask(about=dataclasses.replace(FASHION, classes=tuple("abcdefghij")))
    monkeypatch.setenv(PINS, "others")
    ask()
    edited = tmp_path / "predictions.py"
    edited.write_text("")
    monkeypatch.setattr(predictions, "__file__", str(edited))
    ask()
    assert len(computed) == 5


def test_an_answer_that_failed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREDICTIONS, str(tmp_path / "kept"))
    for _ in range(2):
        with pytest.raises(ModelError, match="has no saved_model"):
            predict(tmp_path, IMAGES, FASHION, name="the model", cure="train again")
    assert not (tmp_path / "kept").exists()


SHAPES = ("triangle", "circle", "square")
COLOUR = Description("shapes", SHAPES, 32, 32, 3)
REORDERED = (*FASHION.classes[:2], FASHION.classes[3], FASHION.classes[2], *FASHION.classes[4:])


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize(
    ("model", "data", "fault"),
    [
        (FASHION, FASHION, ""),
        (COLOUR, FASHION, r"takes images of (shape )?32x32( in colour|x3), and the data has 28x28"),
        (
            dataclasses.replace(FASHION, classes=SHAPES),
            FASHION,
            "has 3 classes, and the data 10",
        ),
        (
            dataclasses.replace(FASHION, classes=REORDERED),
            FASHION,
            "has other classes: it calls class 2 'Dress', and the data 'Pullover'",
        ),
    ],
)
def test_a_model_of_other_data_is_not_compared(
    model: Description, data: Description, fault: str, described: bool, tmp_path: Path
) -> None:
    directory = make_classifier(tmp_path / "model", model.classes, shape=model.shape)
    if described:
        model.write(directory)
    images = np.zeros([3, *data.shape], np.uint8)
    images[1, 2] = 255
    said = pytest.raises(ModelError, match=f"^the champion {fault}; compare with nothing$")
    with said if fault else contextlib.nullcontext():
        predict(directory, images, data, name="the champion", cure="compare with nothing")
