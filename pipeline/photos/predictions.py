"""Asks a model what is in photos, and saves what it saw."""

import dataclasses
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.dataset.description import Description
from components.dataset.errors import StepError
from components.dataset.places import PlaceError, local_path
from components.dataset.startup import quiet_start
from pipeline.runs.chosen_model import ChosenModel
from serving.labels import NOTHING, SURE, class_names
from serving.photos import DAMAGED, MAX_BYTES, PhotoError, readable

STANDARD_INPUT: Final = "-"
PREPARE: Final = "prepare"
CLASSIFY: Final = "serving_default"
UNSEEN: Final = np.empty([0, 0], np.uint8)
ENDINGS: Final = {".png", ".jpg", ".jpeg", ".jpe", ".gif", ".bmp", ".tif", ".tiff", ".webp"} | {
    ".avif",
    ".ppm",
    ".heic",
    ".heif",
}
"""Of image files in a folder. A HEIC file cannot be read, which its row says."""
BATCH: Final = 64
"""Photos that are read and asked about together."""
CORES: Final = len(os.sched_getaffinity(0))


class Likely(NamedTuple):
    """A class that a photo may be of: the model's name for it, its number, its probability."""

    name: str
    class_id: int
    probability: float


@dataclasses.dataclass
class Photo:
    """A photo and a model's answer.

    Attributes:
        file: Its name as given.
        sha256: Of the file.
        content: A PNG or JPEG of it, until it has been answered.
        error: Why there is no answer; empty if there is one.
        seen: What the network sees of it, uint8 [height, width], in colour [height, width, 3];
            empty where that is not known.
        ranking: The most likely classes, the first one first.
    """

    file: str
    sha256: str = ""
    content: bytes = b""
    error: str = ""
    seen: NDArray[np.uint8] = dataclasses.field(default_factory=lambda: UNSEEN)
    ranking: Sequence[Likely] = ()

    @property
    def is_sure(self) -> bool:
        """Whether the most likely class has at least half of the probability."""
        return bool(self.ranking) and self.ranking[0].probability >= SURE

    def as_json(self) -> dict[str, Any]:
        """Its file and the answer, as JSON values."""
        if self.error:
            return {"file": self.file, "error": self.error}
        answers = [
            {"class": one.name, "class_id": one.class_id, "probability": one.probability}
            for one in self.ranking
        ]
        return {
            "file": self.file,
            "sha256": self.sha256,
            "predictions": answers,
            "sure": self.is_sure,
        }


class Asked(Protocol):
    """Whatever answers about photos: as people see it, and as JSON values."""

    @property
    def title(self) -> str:
        """Its name in a sentence."""

    @property
    def description(self) -> Description | None:
        """What it was trained on; None if that is not known."""

    def as_json(self) -> dict[str, Any]:
        """What it is and where."""


class Answering(Protocol):
    """What adds an answer to photos."""

    def answer(self, photos: Sequence[Photo], count: int | None = None) -> None:
        """Adds the ``count`` most likely classes, or an error, to each photo."""


def ask(files: Iterable[str], load: Callable[[], Answering], count: int) -> Iterator[Photo]:
    """Reads photos and asks a model about them, through the preparation that it holds.

    Args:
        files: Image files; ``-`` is standard input.
        load: Loads the model; called when the first photo has been read.
        count: How many classes to name for each.

    Returns:
        The photos in the order of the files, with ``ranking``, or ``error``.
    """
    remaining = iter(files)
    model = None
    with ThreadPoolExecutor() as threads:
        while batch := list(islice(remaining, BATCH)):
            photos = list(threads.map(read, batch))
            if readable_ones := [photo for photo in photos if not photo.error]:
                model = model or load()
                model.answer(readable_ones, count)
            yield from photos


class Classifier:
    """A model that prepares photos and classifies them."""

    def __init__(self, chosen: ChosenModel) -> None:
        """Loads it.

        Raises:
            ModelError: It cannot be loaded, or has no signature that prepares a photo.
        """
        with quiet_start():
            import tensorflow as tf

            from serving.model import Model, ModelError

        broken = (OSError, ValueError, TypeError, AttributeError, KeyError, tf.errors.OpError)
        try:
            signatures = Model(chosen.directory).signatures
            self._prepare, self._classify = signatures[PREPARE], signatures[CLASSIFY]
        except (StepError, *broken) as error:
            text = f"no signature {error}" if isinstance(error, KeyError) else str(error)
            place = f" in {chosen.directory}" if chosen.facts else ""
            raise ModelError(
                f"{chosen.title}{place} cannot be asked about photos "
                f"({text.strip().splitlines()[0][:300]}); train it again, or choose another one "
                "with --version, --run or --model"
            ) from error
        self._directory = chosen.directory

    def answer(self, photos: Sequence[Photo], count: int | None = None) -> None:
        """Adds ``seen`` and the ``count`` most likely classes, or an error, to each photo."""
        parts = filter(None, (photos[first::CORES] for first in range(CORES)))
        with ThreadPoolExecutor(CORES) as threads:
            # A signature prepares one photo after another.
            list(threads.map(self._see, parts))
        shown = [photo for photo in photos if not photo.error]
        if not shown:
            return
        answers = self._classify(np.stack([photo.seen for photo in shown]))
        probabilities = answers["probabilities"]
        labels = zip(answers["class_id"].tolist(), answers.get("label", ()), strict=False)
        known = {number: text.decode(errors="replace") for number, text in labels}
        names = class_names(self._directory, probabilities.shape[1], known)
        orders = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        for photo, row, order in zip(shown, probabilities, orders, strict=True):
            photo.ranking = [Likely(names[k], int(k), float(row[k])) for k in order]

    def _see(self, photos: Sequence[Photo]) -> None:
        import tensorflow as tf

        try:
            images = self._prepare([photo.content for photo in photos])["image"]
        except tf.errors.InvalidArgumentError:
            alone = self._prepare.one_by_one([photo.content for photo in photos])
            images = [found and found["image"][0] for found in alone]
        for photo, image in zip(photos, images, strict=True):
            photo.content = b""
            if image is None:
                photo.error = DAMAGED
            else:
                photo.seen, photo.error = image, "" if image.any() else NOTHING


def quick_classifier(chosen: ChosenModel) -> Classifier:
    """A classifier for a process that does nothing else: it is ready a second earlier.

    Raises:
        ModelError: As ``Classifier``.
    """
    # What TensorFlow cannot decode has its own line.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Without it TensorFlow imports Keras, which nothing here needs.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    with quiet_start():
        import tensorflow as tf
    del os.environ["TF_USE_LEGACY_KERAS"]
    # Optimizing the graphs takes longer than it saves.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    return Classifier(chosen)


def image_files(names: Iterable[str]) -> list[str]:
    """The files that are named, and those with the ending of an image in folders that are named.

    Hidden files and folders are left out; those of a folder are sorted.
    """
    found: dict[str, None] = {}
    for name in names:
        folder = Path(name)
        if name != STANDARD_INPUT and folder.is_dir():
            inside = [path.relative_to(folder) for path in sorted(folder.rglob("*"))]
            found |= dict.fromkeys(
                str(folder / path)
                for path in inside
                if path.suffix.lower() in ENDINGS and not any(p[0] == "." for p in path.parts)
            ) or {name: None}
        else:
            found[name] = None
    return list(found)


def read(file: str) -> Photo:
    """Reads an image file, ``-`` for standard input; ``error`` says why it cannot be used."""
    try:
        data = _content(file)
        return Photo(file, hashlib.sha256(data).hexdigest(), readable(data))
    except PhotoError as error:
        return Photo(file, error=str(error))


def save_seen(photos: Sequence[Photo], directory: Path) -> list[Path]:
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
        raise PhotoError("there is no image file in this folder") from error
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
