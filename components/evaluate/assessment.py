"""The evaluation as a whole: what is scored, in which order, and what is recorded of it."""

import dataclasses
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import DataError
from components.dataset.facts import CLASS_NAMES
from components.dataset.manifest import content_digest, read_manifest
from components.evaluate import scores, verdict
from components.evaluate.champion import score_champion
from components.evaluate.examples import Examples, read_examples
from components.evaluate.figures import plots
from components.evaluate.pictures import data_uri
from components.evaluate.predictions import predict

AGAIN: Final = "run again with --no-cache to train it anew"
CURVE: Final = "epochs"
"""The key of the history that holds an entry for each epoch; the rest describes the training."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Assessment:
    """The result of an evaluation.

    Attributes:
        facts: Everything, as plain JSON: the ``evaluation`` artifact, and all that its page shows.
    """

    facts: dict[str, Any]

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
        decided = self.facts["verdict"]
        return f"{decided['outcome'].capitalize()}: {decided['reason']}."


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
    _log.info("Challenger: %s", challenger)
    rival = None
    if champion_facts.get("version"):
        rival = score_champion(champion, champion_facts, examples, (digest, probabilities))
    decided = _decide(challenger, rival, min_accuracy, min_improvement)
    facts = {
        **dataclasses.asdict(challenger),
        "class_names": list(CLASS_NAMES),
        "model_digest": digest,
        "champion": rival,
        "verdict": {
            "passed": decided.passed,
            "outcome": decided.outcome,
            "reason": decided.reason,
            "min_accuracy": min_accuracy,
            "min_improvement": min_improvement,
        },
        "data": {
            "digests": dict(raw.get("digests", {})),
            "verified": raw.get("verified"),
            "test_records": examples.digest,
        },
        "training": {key: value for key, value in training.items() if key != CURVE},
        CURVE: training.get(CURVE, []),
        "pictures": _pictures(challenger, examples),
        "plots": plots(training.get(CURVE, []), challenger.calibration),
    }
    return Assessment(facts)


def _pictures(challenger: scores.Scores, examples: Examples) -> dict[str, str]:
    """A data URI for each example that the scores name, by its index as text."""
    sides = [side for pair in challenger.confused for side in pair["sides"]]
    named = [example for side in sides for example in side["mistaken"] + side["recognised"]]
    indices = {example["index"] for example in [*challenger.mistakes, *named]}
    return {str(index): data_uri(examples.images[index]) for index in sorted(indices)}


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


def _read_history(path: Path) -> dict[str, Any]:
    try:
        history: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"the training's history {path} cannot be read ({error}); {AGAIN}"
        ) from error
    return history
