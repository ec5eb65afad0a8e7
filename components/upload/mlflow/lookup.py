"""Finds the champion in MLflow's registry, or at an address, and brings its files."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

CHAMPION: Final = "champion.json"
"""Beside the champion's SavedModel: what its metadata say too, and a backend may change."""


class Found(NamedTuple):
    """The champion's resourceName, version and digest, empty without one; a line for the log."""

    facts: dict[str, Any]
    sentence: str


def look_up(
    model_name: str, tracking_uri: str, champion_alias: str, champion_uri: str, directory: Path
) -> tuple[bool, Found]:
    """Whether there is a model of that name, and the champion, whose files go to ``directory``."""
    if tracking_uri or champion_uri:
        raise NotImplementedError(model_name, champion_alias)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CHAMPION).write_text(json.dumps({}))
    return False, Found({}, "There is no registry and no champion_uri: there is no champion.")
