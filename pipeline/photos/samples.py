"""Pictures of the test set, for people who want to try a model."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.records import read_split
from pipeline.errors import CommandError
from pipeline.runs.chosen_model import ChosenModel
from pipeline.runs.record import Run
from pipeline.runs.root import Root

OF_EACH: Final = 2
"""Examples of each class."""
MOST: Final = 60
"""Of them together; with more, some are left out."""
HARD: Final = 5
"""Examples that the model is sure about, and wrong."""


def samples(root: Path, model: ChosenModel) -> list[dict[str, Any]]:
    """Examples of the classes and some hard ones, from the run that trained the model.

    Returns:
        For each its ``label``, its ``png`` in base64, and whether it is ``hard``; none if the
        run's data are not here.
    """
    run = Run.read(Root(root).runs / model.run)
    try:
        evaluation = run.evaluation()
        images, labels, about = read_split(Path(run.artifact("test_records").uri))
        easy = [
            (images[index], label)
            for label in range(len(about.classes))
            for index in np.flatnonzero(labels == label)[:OF_EACH]
        ]
        easy = easy[:: -(-len(easy) // MOST) or 1]
        return [
            {"label": about.classes[label], "png": _png(image), "hard": hard}
            for hard, examples in ((False, easy), (True, _hard(evaluation, about)))
            for image, label in examples
        ]
    except (CommandError, DataError, OSError, LookupError):
        return []


def _hard(
    evaluation: dict[str, Any], about: Description
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    for mistake in evaluation["mistakes"][:HARD]:
        pixels = base64.b64decode(evaluation["images"][str(mistake["index"])])
        yield np.frombuffer(pixels, np.uint8).reshape(about.shape), mistake["label"]


def _png(image: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
