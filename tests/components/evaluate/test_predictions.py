import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from components.dataset.facts import CLASS_NAMES
from components.dataset.startup import PINS, PREDICTIONS
from components.evaluate import predictions
from components.evaluate.predictions import ModelError, predict
from tests.saved_models import make_classifier

IMAGES = np.zeros([3, 28, 28], np.uint8)


def test_no_prediction_is_computed_twice(
    wrong_on_10: Path,
    make_model: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(model: Path = wrong_on_10, images: np.ndarray = IMAGES) -> np.ndarray:
        return predict(model, images, name="the model", cure="train again")

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
    monkeypatch.setenv(PINS, "others")
    ask()
    edited = tmp_path / "predictions.py"
    edited.write_text("")
    monkeypatch.setattr(predictions, "__file__", str(edited))
    ask()
    assert len(computed) == 4


def test_an_answer_that_failed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREDICTIONS, str(tmp_path / "kept"))
    for _ in range(2):
        with pytest.raises(ModelError, match="has no saved_model"):
            predict(tmp_path, IMAGES, name="the model", cure="train again")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["circle", "square"], "the champion has 2 classes, not 10; compare with nothing"),
        (
            [*CLASS_NAMES[:2], "triangle", *CLASS_NAMES[3:]],
            "calls class 2 'triangle', and the data 'Pullover'; compare with nothing",
        ),
        (CLASS_NAMES, ""),
    ],
)
def test_a_model_with_other_classes_is_not_compared(
    names: list[str], fault: str, tmp_path: Path
) -> None:
    model = make_classifier(tmp_path / "model", names)
    images = np.zeros([3, 28, 28], np.uint8)
    images[1, 2] = 255
    refused = pytest.raises(ModelError, match=fault) if fault else contextlib.nullcontext()
    with refused:
        predict(model, images, name="the champion", cure="compare with nothing")
