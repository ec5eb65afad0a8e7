"""The record of a version in the local model registry: ``version.json`` next to its model."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import StepError

VERSION: Final = "version.json"
EVALUATION: Final = "evaluation.json"
CHECKSUM: Final = "sha256"
"""The key of ``version.json`` with the digest of the other keys."""
KINDS: Final[Mapping[str, type]] = {
    "aliases": list,
    "created": str,
    "digests": dict,
    "metrics": dict,
    "parameters": dict,
    "run": str,
    "versions": dict,
}
"""The types of the values in ``version.json`` that are read here."""


class RegistryError(StepError):
    """A model, a version or an alias that does not exist, or a registry that cannot be used."""


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with a checksum over them, which shows whether they were changed later."""
    own = {name: value for name, value in values.items() if name != CHECKSUM}
    text = json.dumps(own, sort_keys=True)
    return {**own, CHECKSUM: hashlib.sha256(text.encode()).hexdigest()}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty when there is no such file.

    Raises:
        RegistryError: The file holds something else.
    """
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{path} is not JSON ({error}); correct or remove it") from error
    if not isinstance(values, dict):
        raise RegistryError(f"{path} holds no JSON object; correct or remove it")
    return values


def read_version(directory: Path) -> dict[str, Any]:
    """The content of a version's ``version.json``; empty when there is no such file.

    Raises:
        RegistryError: It is not a JSON object, or a value in it has a wrong type.
    """
    path = directory / VERSION
    facts = read_json(path)
    wrong = [name for name, kind in KINDS.items() if not isinstance(facts.get(name, kind()), kind)]
    if not wrong:
        names, numbers = facts.get("aliases", []), facts.get("metrics", {}).values()
        wrong += ["aliases"] if not all(isinstance(name, str) for name in names) else []
        wrong += ["metrics"] if not all(isinstance(each, int | float) for each in numbers) else []
    if wrong:
        raise RegistryError(f"{path}: {', '.join(wrong)} has a wrong type; correct or remove it")
    return facts


def as_text(values: Mapping[str, Any]) -> str:
    """The values as a file's content."""
    return json.dumps(values, indent=1, sort_keys=True) + "\n"
