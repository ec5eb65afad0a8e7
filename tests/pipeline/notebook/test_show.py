import json
from pathlib import Path

import numpy as np
import pytest

from components.dataset.description import Description
from pipeline.notebook import Artifact, show_answer, show_curves, show_images
from pipeline.runs.record import Run, Task
from tests.saved_models import COLOURED, GREY


def test_curves_skip_epochs_without_validation_and_say_where_they_end(tmp_path: Path) -> None:
    names = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
    rows = [(1, 1.0, 0.5, None, None), (2, 0.5, 0.8, 0.6, 0.7)]
    epochs = [dict(zip(names, row, strict=True)) for row in rows]
    (tmp_path / "history").write_text(json.dumps({"epochs": epochs}))
    train = Task("train", "Train", outputs={"history": Artifact(str(tmp_path / "history"))})
    page = show_curves({"mine": Run("run-1", tmp_path, steps={"train": train})})._repr_html_()
    assert "Learning curves: mine ends with a validation accuracy of 0.7" in page


@pytest.mark.parametrize("about", [COLOURED, GREY], ids=lambda about: about.name)
def test_pictures_of_any_form_are_shown_under_the_names_of_their_classes(
    about: Description,
) -> None:
    images = np.full((3, *about.shape), 200, np.uint8)
    names = (about.classes[0], "a name that is too long for a picture")
    html = show_images(images, [0, 1, 0], names).html
    assert f'aria-label="Images of {names[0]}, {names[1]}, {names[0]}"' in html
    assert html.count("<image") == 3
    assert "a name that i…" in html
    answer = show_answer(images[0], dict(zip(about.classes, (0.7, 0.2, 0.1), strict=False)))
    assert f"The model&#x27;s answer: {about.classes[0]} 70.0%" in answer.html
