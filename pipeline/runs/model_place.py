"""Where the model of a run is now."""

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.runs.registry import Registry, RegistryError, Version


@dataclasses.dataclass(frozen=True)
class ModelPlace:
    """Where the model of a run is now.

    Attributes:
        name: The registry's model that the run is about.
        number: The version that the model was uploaded as, or is; empty without one.
        version: That version; None when the registry has it not, or not any more.
        path: A copy of the model: the registry's, else what the training left; None: neither.
    """

    name: str
    number: str
    version: Version | None
    path: Path | None


def find(directory: Path, summary: Mapping[str, Any], facts: Mapping[str, Any]) -> ModelPlace:
    """Looks up the model of a run in the registry beside it.

    Args:
        directory: The run's folder, ``<root>/runs/<id>``.
        summary: The content of its ``summary.json``.
        facts: The content of its ``evaluation.json``.
    """
    name, number = summary["model"]["name"], summary["model"]["version"]
    champion = facts["champion"]
    if not number and champion and champion["same"]:
        number = champion["version"]
    version = None
    registry = Registry(directory.resolve().parent.parent / "registry")
    with contextlib.suppress(RegistryError):
        if number:
            version = registry.resolve(name, number)
        else:  # Another run may have uploaded it, as reruns of single steps do.
            version = _with_digest(registry, name, facts["model_digest"])
            number = str(version.number) if version else ""
    return ModelPlace(name, number, version, version.path if version else _trained(summary))


def _with_digest(registry: Registry, name: str, digest: str) -> Version | None:
    found = (version for version in registry.versions(name) if version.digest == digest)
    return next(found, None)


def _trained(summary: Mapping[str, Any]) -> Path | None:
    """What the training left, in the run's own folder or, from the cache, an earlier one's."""
    outputs = [step["outputs"] for step in summary["steps"] if step["name"] == "train"]
    uris = [step["model"]["uri"] for step in outputs if "model" in step]
    return next((Path(uri) for uri in uris if Path(uri).is_dir()), None)
