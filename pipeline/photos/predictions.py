"""Photos in files, and what a model says of them."""

import dataclasses
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.dataset.facts import CLASS_NAMES
from pipeline.photos.decoding import MAX_BYTES, PhotoError
from pipeline.photos.preparation import seen_by_network
from pipeline.runs.chosen_model import ChosenModel

STANDARD_INPUT: Final = "-"


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photo that was read.

    Attributes:
        file: Its name, as it was given.
        sha256: Of the file's content, hexadecimal.
        seen: What the network is shown of it: uint8 [28, 28].
    """

    file: str
    sha256: str
    seen: NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a model says of a photo.

    Attributes:
        photo: The photo.
        ranking: Names of classes with their probabilities, the likeliest first.
    """

    photo: Photo
    ranking: list[tuple[str, float]]

    def as_json(self) -> dict[str, Any]:
        """All but the pixels, as JSON values."""
        return {
            "file": self.photo.file,
            "sha256": self.photo.sha256,
            "predictions": [
                {"class": name, "class_id": CLASS_NAMES.index(name), "probability": probability}
                for name, probability in self.ranking
            ],
        }


def read(file: str) -> Photo:
    """Reads a photo and makes of it what the network is shown.

    Args:
        file: Path of an image file, or ``-`` for standard input.

    Raises:
        PhotoError: It cannot be read or used; the text says why, and does not name it.
    """
    data = _content(file)
    return Photo(file, hashlib.sha256(data).hexdigest(), seen_by_network(data))


def predict(photos: list[Photo], model: ChosenModel, count: int) -> list[Prediction]:
    """Asks a model about all photos at once.

    Args:
        photos: One or more.
        model: The model.
        count: How many of the likeliest classes are named.

    Raises:
        ModelError: The model cannot be used.
    """
    from components.evaluate.predictions import predict as ask

    images = np.stack([photo.seen for photo in photos])
    cure = "choose another one with --version, --run or --model"
    answers = ask(model.directory, images, name=model.title, cure=cure)
    return [
        Prediction(photo, _ranked(probabilities)[:count])
        for photo, probabilities in zip(photos, answers, strict=True)
    ]


def save(photos: Iterable[Photo], directory: Path) -> list[Path]:
    """Writes what the network is shown of each photo as ``<its name>.png``.

    Args:
        photos: The photos; where two have one name, or the photo itself has that of its picture, a
            number is added.
        directory: Where to; made when it is missing.
    """
    photos = list(photos)
    directory.mkdir(parents=True, exist_ok=True)
    own = {Path(photo.file).resolve() for photo in photos}
    written: list[Path] = []
    for photo in photos:
        stem = "stdin" if photo.file == STANDARD_INPUT else Path(photo.file).stem
        path, number = directory / f"{stem}.png", 2
        while path in written or path.resolve() in own:
            path, number = directory / f"{stem}-{number}.png", number + 1
        Image.fromarray(photo.seen).save(path)
        written.append(path)
    return written


def _ranked(probabilities: NDArray[np.float32]) -> list[tuple[str, float]]:
    order = np.argsort(-probabilities, kind="stable")
    return [(CLASS_NAMES[number], float(probabilities[number])) for number in order]


def _content(file: str) -> bytes:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if "://" in file:
        raise PhotoError("it is an address; download it and give the file")
    try:
        with Path(file).open("rb") as content:
            return content.read(MAX_BYTES + 1)
    except IsADirectoryError as error:
        raise PhotoError("it is a directory; give the files in it") from error
    except (OSError, ValueError) as error:
        raise PhotoError(getattr(error, "strerror", None) or str(error)) from error
