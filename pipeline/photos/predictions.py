"""Reads photos, asks a model what is in them, and saves what the model saw."""

import dataclasses
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.dataset.places import PlaceError, local_path
from pipeline.photos.decoding import MAX_BYTES, PhotoError
from pipeline.photos.labels import class_names
from pipeline.photos.preparation import seen_by_network
from pipeline.runs.chosen_model import ChosenModel

STANDARD_INPUT: Final = "-"


class Likely(NamedTuple):
    """A class that a photo may be of: the model's name for it, its number, its probability."""

    name: str
    class_id: int
    probability: float


Ranking = list[Likely]
"""The most likely classes of a photo, the first one first."""


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photo: its name as given, the digest of its file, and what the network sees of it.

    ``seen`` is uint8 [28, 28].
    """

    file: str
    sha256: str
    seen: NDArray[np.uint8]


def read(file: str) -> Photo:
    """Reads an image file, ``-`` for standard input, and prepares it for the network.

    Raises:
        PhotoError: It cannot be read or used; the text says why, without the file's name.
    """
    data = _content(file)
    return Photo(file, hashlib.sha256(data).hexdigest(), seen_by_network(data))


def predict(photos: Sequence[Photo], model: ChosenModel, count: int) -> list[Ranking]:
    """The ``count`` most likely classes of each of one or more photos.

    Raises:
        ModelError: The model cannot be used.
    """
    from components.evaluate.predictions import answers

    images = np.stack([photo.seen for photo in photos])
    cure = "choose another one with --version, --run or --model"
    probabilities, labels = answers(model.directory, images, name=model.title, cure=cure)
    names = class_names(model.directory, probabilities.shape[1], labels)
    orders = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [
        [Likely(names[number], int(number), float(answer[number])) for number in order]
        for answer, order in zip(probabilities, orders, strict=True)
    ]


def save(photos: Sequence[Photo], directory: Path) -> list[Path]:
    """Writes what the network sees of each photo as ``<its name>.png``.

    A number is added where two photos have the same name, or where a photo would be overwritten.
    The directory is made if it is missing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    taken = {_path(photo.file).resolve() for photo in photos}
    written = []
    for photo in photos:
        stem = "stdin" if photo.file == STANDARD_INPUT else Path(photo.file).stem
        path, number = directory / f"{stem}.png", 2
        while path.resolve() in taken:
            path, number = directory / f"{stem}-{number}.png", number + 1
        Image.fromarray(photo.seen).save(path)
        taken.add(path.resolve())
        written.append(path)
    return written


def _content(file: str) -> bytes:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    path = _path(file)
    try:
        with path.open("rb") as content:
            return content.read(MAX_BYTES + 1)
    except IsADirectoryError as error:
        raise PhotoError("it is a directory; give the files in it") from error
    except (OSError, ValueError) as error:
        raise PhotoError(getattr(error, "strerror", None) or str(error)) from error


def _path(file: str) -> Path:
    try:
        path = local_path(file)
    except PlaceError as error:
        raise PhotoError("it is a URL; download it and give the file") from error
    if path is None:
        raise PhotoError(f"it is in a bucket; copy it here: `gcloud storage cp {quote(file)} .`")
    return path
