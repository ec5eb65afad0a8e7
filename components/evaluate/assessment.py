"""The evaluation as a whole: challenger and champion on the same test examples, and the verdict."""

import base64
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.manifest import MANIFEST, content_digest, model_digest, read_manifest
from components.dataset.records import read_split
from components.evaluate import gate, mistakes, scores
from components.evaluate.predictions import ModelError, predict

AGAIN: Final = "run again with --no-cache to train a new one"
NO_CHAMPION: Final = (
    "run with -p model_name=NAME to begin another model, or with -p champion_alias=none to compare "
    "with nothing"
)
CURVE: Final = "epochs"
"""The key of the history that holds an entry for each epoch; the rest describes the training."""
MOST_IN_METADATA: Final = 100
"""Classes of a confusion matrix that metadata hold: Vertex AI takes 200 kB of an artifact."""
CHAMPION: Final = "champion.json"
"""The file that a look-up which brings the champion's files writes beside them."""
LABEL_DIGITS: Final = 40
"""Digits of a digest that a registry's label keeps; fewer prove nothing."""

_log = logging.getLogger(__name__)


class Examples(NamedTuple):
    """Test examples: images, uint8 [n, …], labels, uint8 [n], what they are, and their digest."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    about: Description
    digest: str


def assess(
    *,
    model: Path,
    history: Path,
    champion: Path,
    champion_facts: Mapping[str, Any],
    test_records: Path,
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """Scores the challenger, and the champion if its metadata has a version, and decides.

    Returns:
        The ``evaluation`` artifact, plain JSON that holds everything the report shows: figures of
        ``scores.score``, before_calibration (None without a fitted temperature), mistakes,
        confused, champion, verdict, dataset, training, epochs, and as images the pixels of the
        shown examples (row-major uint8 in base64, by index).

    Raises:
        DataError: Records, model or history are unfinished or damaged, or there is no example.
        ModelError: A model cannot be used, or has other classes or images than the test records;
            names the champion's version and the way out.
        ThresholdError: A threshold is not a number, or out of its range.
    """
    examples = read_examples(test_records)
    training = _read_history(history)
    digest = model_digest(model)
    about = examples.about
    answers = predict(model, examples.images, about, name="the challenger", cure=AGAIN)
    challenger = _scored("Challenger", answers, examples)
    rival = None
    if champion_facts.get("version"):
        rival = _score_champion(champion, champion_facts, examples, digest, answers)
    matrix = np.array(challenger["confusion_matrix"])
    wrong = mistakes.confident_mistakes(answers, examples.labels)
    confused = mistakes.confused_pairs(answers, examples.labels, matrix)
    temperature = float(training.get("temperature", 1.0))
    return {
        **challenger,
        "before_calibration": scores.before_calibration(answers, examples.labels, temperature)
        if temperature != 1
        else None,
        "mistakes": wrong,
        "confused": confused,
        "image_shape": list(examples.images.shape[1:]),
        "images": {
            str(index): base64.b64encode(examples.images[index].tobytes()).decode()
            for index in mistakes.shown(wrong, confused)
        },
        "class_names": list(about.classes),
        "model_digest": digest,
        "champion": rival,
        "verdict": gate.decide(challenger, rival, thresholds),
        "dataset": {
            "name": about.name,
            "form": about.form,
            "counts": {split: list(counts) for split, counts in about.counts.items()},
            "digests": dict(about.digests),
            "verified": about.verified,
            "test_records": examples.digest,
        },
        "training": {key: value for key, value in training.items() if key != CURVE},
        CURVE: training.get(CURVE, []),
    }


def champion_facts(directory: Path, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """resourceName, version and digest of the champion, empty without one."""
    path = directory / CHAMPION
    facts: Mapping[str, Any] = json.loads(path.read_text()) if path.is_file() else metadata
    return facts


def read_examples(directory: Path) -> Examples:
    """Reads all records of a directory into memory."""
    digest = content_digest(read_manifest(directory))
    images, labels, about = read_split(directory)
    if not len(labels):
        raise DataError(f"{directory} holds no test example; run again with --no-cache")
    return Examples(images, labels, about, digest)


def _score_champion(
    directory: Path,
    recorded: Mapping[str, Any],
    examples: Examples,
    new_digest: str,
    new_answers: NDArray[np.float32],
) -> dict[str, Any]:
    """Scores the champion, and counts where the challenger differs from it.

    Returns:
        JSON values: its figures of ``scores.score``; version, resource_name, digest; same (whether
        it is the challenger); gained and lost (examples that only the challenger, only the
        champion gets right); chance (how often such a difference is luck).
    """
    version = str(recorded["version"])
    name = f"the champion, version {version},"
    digest = str(recorded.get("digest", ""))
    if (directory / MANIFEST).is_file():
        try:
            digest = model_digest(directory)
        except DataError as error:
            raise ModelError(f"{name} cannot be read ({error}), or {NO_CHAMPION}") from error
    same = len(digest) >= LABEL_DIGITS and new_digest.startswith(digest)
    answers = new_answers
    if not same:
        answers = predict(directory, examples.images, examples.about, name=name, cure=NO_CHAMPION)
    right, right_before = (
        given.argmax(axis=1) == examples.labels for given in (new_answers, answers)
    )
    gained, lost = int((right & ~right_before).sum()), int((~right & right_before).sum())
    return {
        **_scored(f"Champion, version {version}", answers, examples),
        "version": version,
        "resource_name": str(recorded.get("resourceName", "")),
        "digest": digest,
        "same": same,
        "gained": gained,
        "lost": lost,
        "chance": scores.chance(gained, lost),
    }


def _scored(name: str, answers: NDArray[np.float32], examples: Examples) -> dict[str, Any]:
    found = scores.score(answers, examples.labels, examples.about.classes)
    _log.info(
        "%s: accuracy %.4f, loss %.4f on %s examples",
        *(name, found["accuracy"], found["loss"], f"{found['examples']:,}"),
    )
    return found


def _read_history(path: Path) -> dict[str, Any]:
    try:
        history: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"the training's history {path} cannot be read ({error}); {AGAIN}"
        ) from error
    return history
