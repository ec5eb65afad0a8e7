"""Where the model of a run is now."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.models.registry import Registry, RegistryError, Version


@dataclasses.dataclass(frozen=True)
class ModelPlace:
    """Where the model of a run is now.

    Attributes:
        name: The registry's model that the run is about.
        number: The version that the model was uploaded as, or already was; empty without one.
        version: That version; None when the registry has it not, or not any more.
        path: A copy of the model: the registry's, else what the training left; None: neither.
    """

    name: str
    number: str
    version: Version | None
    path: Path | None


def find(
    directory: Path, summary: Mapping[str, Any], champion: Mapping[str, Any] | None
) -> ModelPlace:
    """Looks up the model of a run in the registry beside it.

    Args:
        directory: The run's folder, ``<root>/runs/<id>``.
        summary: The content of its ``summary.json``.
        champion: What its evaluation says of the champion; None without one.
    """
    name = summary["model"]["name"]
    already = champion["version"] if champion and champion["same"] else ""
    number = summary["model"]["version"] or already
    version = _version(directory.resolve().parent.parent / "registry", name, number)
    return ModelPlace(name, number, version, version.path if version else _trained(summary))


def _version(registry: Path, name: str, number: str) -> Version | None:
    if not number:
        return None
    try:
        return Registry(registry).resolve(name, number)
    except RegistryError:
        return None


def _trained(summary: Mapping[str, Any]) -> Path | None:
    """What the training left, in the run's own folder or, from the cache, an earlier one's."""
    outputs = [step["outputs"] for step in summary["steps"] if step["name"] == "train"]
    uris = [step["model"]["uri"] for step in outputs if "model" in step]
    return next((Path(uri) for uri in uris if Path(uri).is_dir()), None)
