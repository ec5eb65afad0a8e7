"""The evaluation as a whole: what is scored, in which order, and what is recorded of it."""

import dataclasses
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.facts import CLASS_NAMES
from components.dataset.manifest import MANIFEST, content_digest, read_manifest
from components.evaluate import scores, verdict
from components.evaluate.examples import Examples, read_examples
from components.evaluate.predictions import ModelError, predict

LABEL_DIGITS: Final = 40
"""Digits of a digest that a registry's label keeps; fewer prove nothing."""
AGAIN: Final = "run again with --no-cache to train it anew"
CURVE: Final = "epochs"
"""The key of the history that holds an entry for each epoch; the rest describes the training."""
CHAMPION_FIGURES: Final = ("examples", "correct", "accuracy", "loss", "macro_f1")
NO_CHAMPION: Final = "run with -p champion_alias=none to compare with nothing"

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Assessment:
    """The result of an evaluation.

    Attributes:
        facts: Everything, as plain JSON: the ``evaluation`` artifact.
        epochs: The history's entries, one per epoch.
        pictures: uint8 [k, 28, 28], the images of ``facts["mistakes"]``.
    """

    facts: dict[str, Any]
    epochs: list[dict[str, Any]]
    pictures: NDArray[np.uint8]

    @property
    def metrics(self) -> dict[str, float]:
        """The figures for the ``metrics`` artifact; ``champion_accuracy`` when there is one."""
        figures: dict[str, float] = {
            name: self.facts[name] for name in ("accuracy", "loss", "macro_f1")
        }
        if self.facts["champion"]:
            figures["champion_accuracy"] = self.facts["champion"]["accuracy"]
        return figures

    @property
    def passed(self) -> bool:
        """Whether the challenger is good enough."""
        return bool(self.facts["verdict"]["passed"])

    @property
    def sentence(self) -> str:
        """The outcome and its reason."""
        return f"{self.outcome.capitalize()}: {self.facts['verdict']['reason']}."

    @property
    def outcome(self) -> str:
        """``passed``, ``not passed``, or ``unchanged`` for a model that is the champion."""
        if self.facts["champion"] and self.facts["champion"]["same"]:
            return "unchanged"
        return "passed" if self.passed else "not passed"


def assess(
    *,
    model: Path,
    history: Path,
    raw: Mapping[str, Any],
    champion: Path,
    champion_facts: Mapping[str, Any],
    test_records: Path,
    min_accuracy: float,
    min_improvement: float,
) -> Assessment:
    """Scores the challenger, and the champion if there is one, and decides.

    Args:
        model: The challenger's SavedModel.
        history: JSON that the training wrote.
        raw: Metadata of the raw data: digests, verified.
        champion: The champion's SavedModel; not looked at without a champion.
        champion_facts: Its metadata: resourceName, version, digest; empty without a champion.
        test_records: Directory of TFRecord shards.
        min_accuracy: Least accuracy that passes, 0 to 1.
        min_improvement: By how much the accuracy must exceed the champion's.

    Raises:
        DataError: Records, model or history are unfinished or damaged.
        ModelError: A model cannot be used; names the champion's version and the way out.
        ThresholdError: A threshold is no number of its range.
    """
    examples = read_examples(test_records)
    training = _read_history(history)
    digest = content_digest(read_manifest(model))
    probabilities = predict(model, examples.images, name="the challenger", cure=AGAIN)
    challenger = scores.score(probabilities, examples.labels)
    _log.info("Challenger: %s", _figures(challenger))
    rival = None
    if champion_facts.get("version"):
        rival = _score_champion(champion, champion_facts, examples, (digest, probabilities))
    outcome = _decide(challenger, rival, min_accuracy, min_improvement)
    shown = [mistake["index"] for mistake in challenger.mistakes]
    facts = {
        **dataclasses.asdict(challenger),
        "class_names": list(CLASS_NAMES),
        "model_digest": digest,
        "champion": rival,
        "verdict": {
            **dataclasses.asdict(outcome),
            "min_accuracy": min_accuracy,
            "min_improvement": min_improvement,
        },
        "data": {
            "digests": dict(raw.get("digests", {})),
            "verified": raw.get("verified"),
            "test_records": examples.digest,
        },
        "training": {key: value for key, value in training.items() if key != CURVE},
    }
    return Assessment(facts, training.get(CURVE, []), examples.images[shown])


def _decide(
    challenger: scores.Scores,
    rival: Mapping[str, Any] | None,
    min_accuracy: float,
    min_improvement: float,
) -> verdict.Verdict:
    if rival and rival["same"]:
        return verdict.already(rival["version"])
    champion = None
    if rival:
        score = verdict.Score(rival["correct"], rival["examples"])
        champion = verdict.Champion(rival["version"], score)
    return verdict.decide(
        verdict.Score(challenger.correct, challenger.examples),
        champion,
        min_accuracy=min_accuracy,
        min_improvement=min_improvement,
    )


def _score_champion(
    directory: Path,
    recorded: Mapping[str, Any],
    examples: Examples,
    challenger: tuple[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """Scores the champion, and counts where it differs from the challenger.

    Args:
        directory: Its SavedModel.
        recorded: Its metadata in the registry.
        examples: What to score it on.
        challenger: Digest and probabilities of the challenger.
    """
    version = str(recorded["version"])
    digest, theirs = challenger
    name = f"the champion, version {version},"
    own = _digest(directory, str(recorded.get("digest", "")), digest, name)
    same = len(own) >= LABEL_DIGITS and digest.startswith(own)
    answers = theirs
    if not same:
        answers = predict(directory, examples.images, name=name, cure=NO_CHAMPION)
    figures = scores.score(answers, examples.labels)
    _log.info("Champion, version %s: %s", version, _figures(figures))
    right, right_before = (x.argmax(axis=1) == examples.labels for x in (theirs, answers))
    return {
        "version": version,
        "resource_name": str(recorded.get("resourceName", "")),
        "digest": own,
        "same": same,
        "gained": int((right & ~right_before).sum()),
        "lost": int((~right & right_before).sum()),
        "per_class_f1": [entry["f1"] for entry in figures.per_class],
        **{name: getattr(figures, name) for name in CHAMPION_FIGURES},
    }


def _digest(directory: Path, recorded: str, challenger: str, name: str) -> str:
    """The champion's content digest: as recorded if that decides, else from its manifest."""
    if (recorded and challenger.startswith(recorded)) or not (directory / MANIFEST).is_file():
        return recorded
    try:
        return content_digest(read_manifest(directory))
    except DataError as error:
        raise ModelError(f"{name} cannot be read ({error}), or {NO_CHAMPION}") from error


def _read_history(path: Path) -> dict[str, Any]:
    try:
        history: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"the training's history {path} cannot be read ({error}); {AGAIN}"
        ) from error
    return history


def _figures(found: scores.Scores) -> str:
    return f"accuracy {found.accuracy:.4f}, loss {found.loss:.4f} on {found.examples:,} examples"
