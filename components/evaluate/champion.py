"""The champion on the challenger's test examples."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError
from components.dataset.manifest import MANIFEST, content_digest, read_manifest
from components.evaluate import scores
from components.evaluate.examples import Examples
from components.evaluate.predictions import ModelError, predict
from components.evaluate.uncertainty import chance

LABEL_DIGITS: Final = 40
"""Digits of a digest that a registry's label keeps; fewer prove nothing."""
FIGURES: Final = ("examples", "correct", "accuracy", "loss", "macro_f1")
NO_CHAMPION: Final = "run with -p champion_alias=none to compare with nothing"

_log = logging.getLogger(__name__)


def score_champion(
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

    Returns:
        JSON values: version, resource_name, digest, same (whether it is the challenger), gained
        and lost (examples that only the challenger, only the champion gets right), chance (how
        often that difference is luck), per_class_f1, and the figures of its own.

    Raises:
        ModelError: It cannot be used; names its version and the way out.
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
    _log.info("Champion, version %s: %s", version, figures)
    right, right_before = (x.argmax(axis=1) == examples.labels for x in (theirs, answers))
    gained, lost = int((right & ~right_before).sum()), int((~right & right_before).sum())
    return {
        "version": version,
        "resource_name": str(recorded.get("resourceName", "")),
        "digest": own,
        "same": same,
        "gained": gained,
        "lost": lost,
        "chance": chance(gained, lost),
        "per_class_f1": [entry["f1"] for entry in figures.per_class],
        **{name: getattr(figures, name) for name in FIGURES},
    }


def _digest(directory: Path, recorded: str, challenger: str, name: str) -> str:
    """The champion's content digest: as recorded if that decides, else from its manifest."""
    if (recorded and challenger.startswith(recorded)) or not (directory / MANIFEST).is_file():
        return recorded
    try:
        return content_digest(read_manifest(directory))
    except DataError as error:
        raise ModelError(f"{name} cannot be read ({error}), or {NO_CHAMPION}") from error
