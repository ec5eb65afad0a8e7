"""The local model registry: ``<root>/<model>/<n>/`` in TensorFlow Serving's layout.

Each version is a complete SavedModel directory with a ``version.json`` beside its
``saved_model.pb``; ``<root>/<model>/aliases.json`` maps an alias to a version number.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.runs import registry_files as files
from pipeline.runs.registry_files import RegistryError

__all__ = ["Registry", "RegistryError", "Version", "from_environment", "resource_name"]

NAME: Final = re.compile(r'(?!\.)[^/"\\\x00-\x1f]{1,128}')
"""A model's name: a directory's and a display name's that no JSON has to escape."""
NAME_BYTES: Final = 255
"""What Linux takes as one name of a path (``NAME_MAX``)."""
ENVIRONMENT: Final = "FASHION_MNIST_REGISTRY"
"""The variable that tells the stand-ins where the registry is."""


@dataclass(frozen=True)
class Version:
    """One version of a model.

    Attributes:
        model: The model's name.
        number: The version, 1 or more.
        path: Its SavedModel directory.
        facts: What its ``version.json`` holds; empty when somebody put the model there by hand.
        aliases: The aliases that point at it, sorted.
    """

    model: str
    number: int
    path: Path
    facts: dict[str, Any]
    aliases: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The content digest of the model, or an empty string when it was not recorded."""
        return str(self.facts.get("digests", {}).get("model", ""))


class Registry:
    """The models under one directory; several processes may use it at once.

    Args:
        root: The directory; it is made when the first version is added.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def models(self) -> list[str]:
        """The names of all models that have a version, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if files.numbers(path))

    def directories(self) -> list[Path]:
        """The directory of each version of each model, whatever is recorded of it."""
        return [
            self.root / model / str(number)
            for model in self.models()
            for number in files.numbers(self.root / model)
        ]

    def versions(self, model: str) -> list[Version]:
        """All versions of a model, oldest first; empty when there is no such model.

        Raises:
            RegistryError: A file of the registry is no JSON, or the name cannot be a model's.
        """
        home = self._home(model)
        numbers, aliases = files.state(home)
        return [_read_version(home / str(number), aliases) for number in numbers]

    def resolve(self, model: str, reference: str) -> Version:
        """The version that an alias or a number stands for.

        Args:
            model: The model's name.
            reference: An alias as ``default``, or a version number as ``3``.

        Raises:
            RegistryError: There is no such model or version; the error lists what exists.
        """
        versions = self.versions(model)
        if not versions:
            known = ", ".join(self.models()) or "none"
            raise RegistryError(f"{self.root} has no model {model!r}; models there: {known}")
        for version in versions:
            if reference == str(version.number) or reference in version.aliases:
                return version
        listed = ", ".join(_listed(version) for version in versions)
        raise RegistryError(
            f"model {model!r} in {self.root} has no version or alias {reference!r}; "
            f"versions there: {listed}"
        )

    def add_version(
        self, model: str, source: Path, facts: Mapping[str, Any], aliases: Sequence[str] = ()
    ) -> Version:
        """Copies a SavedModel into the registry as the next version.

        Args:
            model: The model's name.
            source: The SavedModel directory.
            facts: JSON values for ``version.json``; ``model``, ``version`` and ``created``
                (UTC, ISO 8601) are added.
            aliases: Aliases to point at the new version, taken from any other.

        Raises:
            RegistryError: ``source`` holds no SavedModel, or the registry cannot be written.
        """
        home = self._home(model)
        if not (source / files.SAVED_MODEL).is_file():
            raise RegistryError(
                f"{source} holds no {files.SAVED_MODEL}, so it is no model to register; "
                "run again with --no-cache to train it anew"
            )
        try:
            return _read_version(*files.add(source, home, {"model": model, **facts}, aliases))
        except OSError as error:
            raise RegistryError(
                f"could not write a version of {model!r} to {home} ({files.reason(error)}); "
                "make room or give the directory's rights, then run again"
            ) from error

    def add_evaluation(self, version: Path, evaluation: Mapping[str, Any]) -> None:
        """Puts a model's evaluation beside it, as ``evaluation.json``.

        Args:
            version: The version's directory.
            evaluation: JSON values.

        Raises:
            RegistryError: The registry cannot be written.
        """
        try:
            files.write_evaluation(version, evaluation)
        except OSError as error:
            raise RegistryError(
                f"could not write the evaluation of {version} ({files.reason(error)}); make "
                "room or give the directory's rights, then run again"
            ) from error

    def _home(self, model: str) -> Path:
        if not NAME.fullmatch(model) or len(os.fsencode(model)) > NAME_BYTES:
            raise RegistryError(
                f"{model!r} cannot name a model: it needs 1 to 128 characters, no dot in front, "
                f"no slash, quote, backslash or line break, and at most {NAME_BYTES} bytes"
            )
        return self.root / model


def from_environment() -> Registry:
    """The registry that FASHION_MNIST_REGISTRY names; its root is made when missing.

    Raises:
        RegistryError: The variable is not set.
    """
    if not (root := os.environ.get(ENVIRONMENT)):
        raise RegistryError(f"{ENVIRONMENT} is not set; it names the local registry's directory")
    Path(root).mkdir(parents=True, exist_ok=True)
    return Registry(Path(root))


def resource_name(model: str, number: int | None = None) -> str:
    """The name of a model, or of one of its versions, as Vertex AI would write it."""
    name = f"projects/local/locations/local/models/{model}"
    return name if number is None else f"{name}@{number}"


def _read_version(path: Path, aliases: Mapping[str, Any]) -> Version:
    number = int(path.name)
    own = tuple(sorted(alias for alias, target in aliases.items() if target == number))
    return Version(path.parent.name, number, path, files.read_version(path), own)


def _listed(version: Version) -> str:
    return (
        f"{version.number} ({', '.join(version.aliases)})"
        if version.aliases
        else str(version.number)
    )
