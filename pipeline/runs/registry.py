"""The local model registry: ``<root>/<model>/<n>/`` in TensorFlow Serving's layout.

Each version is a SavedModel with a ``version.json`` next to its ``saved_model.pb``. A version is
written aside and renamed, so that a reader finds all of it or nothing. An alias refers to the
newest version whose ``version.json`` has it. Writers share a lock; readers need none.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from pipeline import files
from pipeline.runs.version_record import (
    EVALUATION,
    VERSION,
    RegistryError,
    as_text,
    read_version,
    sealed,
)

ALIAS: Final = "default"
"""The alias of the champion; an upload gives it to the new version."""
SAVED_MODEL: Final = "saved_model.pb"
LOCK: Final = ".lock"
INCOMING: Final = ".incoming"
NAME: Final = re.compile(r'(?!\.)[^/"\\\x00-\x1f]{1,128}')
"""A model's name: it is a directory's, and no JSON has to escape it."""
ENVIRONMENT: Final = "FASHION_MNIST_REGISTRY"
"""The variable in which the stand-ins find the registry's directory."""


@dataclass(frozen=True)
class Version:
    """One version of a model.

    Attributes:
        path: Its SavedModel directory.
        facts: The content of its ``version.json``; empty for a model that was put there by hand.
    """

    model: str
    number: int
    path: Path
    facts: dict[str, Any]
    aliases: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The digest of the model; empty when it was not recorded."""
        return str(self.facts.get("digests", {}).get("model", ""))


class Registry:
    """The models under one directory, which the first version creates."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def models(self) -> list[str]:
        """The names of all models that have a version, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if _numbers(path))

    def directories(self) -> list[Path]:
        """The directory of each version of each model, whatever its files say."""
        homes = [self.root / model for model in self.models()]
        return [home / str(number) for home in homes for number in _numbers(home)]

    def versions(self, model: str) -> list[Version]:
        """All versions of a model, oldest first; empty when there is no such model.

        Raises:
            RegistryError: A ``version.json`` is damaged, or the name cannot be a model's.
        """
        home = self._home(model)
        facts = {number: read_version(home / str(number)) for number in _numbers(home)}
        newest = {alias: n for n, own in facts.items() for alias in own.get("aliases", [])}
        return [
            Version(
                model,
                number,
                home / str(number),
                own,
                tuple(sorted(alias for alias, target in newest.items() if target == number)),
            )
            for number, own in facts.items()
        ]

    def resolve(self, model: str, reference: str) -> Version:
        """The version that an alias such as ``default`` or a number such as ``3`` refers to.

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
        listed = ", ".join(
            f"{one.number} ({', '.join(one.aliases)})" if one.aliases else str(one.number)
            for one in versions
        )
        raise RegistryError(
            f"model {model!r} in {self.root} has no version or alias {reference!r}; "
            f"versions there: {listed}"
        )

    def add_version(
        self,
        model: str,
        source: Path,
        facts: Mapping[str, Any],
        aliases: Sequence[str] = (),
        evaluation: Mapping[str, Any] | None = None,
    ) -> Version:
        """Copies a SavedModel into the registry as the next version.

        ``facts`` go into ``version.json``, where ``model``, ``version``, ``created`` (UTC, ISO
        8601) and ``aliases`` are added; ``evaluation`` goes into ``evaluation.json``.

        Raises:
            RegistryError: ``source`` holds no SavedModel, or the registry cannot be written.
        """
        home = self._home(model)
        if not (source / SAVED_MODEL).is_file():
            raise RegistryError(
                f"{source} holds no {SAVED_MODEL}, so it cannot be registered; "
                "run again with --no-cache to train it again"
            )
        with _writing(home) as incoming:
            number = max(_numbers(home, "*"), default=0) + 1
            shutil.copytree(source, incoming)
            created = datetime.now(UTC).isoformat(timespec="seconds")
            own = {"model": model, "version": number, "created": created, "aliases": [*aliases]}
            (incoming / VERSION).write_text(as_text(sealed({**facts, **own})))
            if evaluation:
                (incoming / EVALUATION).write_text(as_text(evaluation))
            incoming.rename(home / str(number))
            return self.versions(model)[-1]

    def promote(self, model: str, reference: str) -> Version:
        """Moves the alias ``default`` to a version, which is the champion from then on.

        Raises:
            RegistryError: There is no such version, or the registry cannot be written.
        """
        with _writing(self._home(model)):
            chosen = self.resolve(model, reference)
            # The newest version with an alias counts: a reader finds the old or the new champion.
            _write_aliases(chosen, {*chosen.facts.get("aliases", []), ALIAS})
            for version in self.versions(model):
                if version.number > chosen.number:
                    _write_aliases(version, {*version.facts.get("aliases", [])} - {ALIAS})
            return self.resolve(model, str(chosen.number))

    def delete(self, model: str, reference: str) -> Version:
        """Deletes a version, and returns it as it was.

        Raises:
            RegistryError: There is no such version, it is the champion of others, or the registry
                cannot be written.
        """
        with _writing(self._home(model)) as incoming:
            version = self.resolve(model, reference)
            if ALIAS in version.aliases and len(self.versions(model)) > 1:
                raise RegistryError(
                    f"version {version.number} of {model!r} is the champion; promote another "
                    f"version before you delete it"
                )
            version.path.rename(incoming)
            return version

    def _home(self, model: str) -> Path:
        if not NAME.fullmatch(model):
            raise RegistryError(
                f"{model!r} cannot name a model: it needs 1 to 128 characters, no dot in front, "
                "no slash, quote, backslash or line break"
            )
        return self.root / model


def from_environment() -> Registry:
    """The registry that FASHION_MNIST_REGISTRY names; its directory is made if missing."""
    if not (root := os.environ.get(ENVIRONMENT)):
        raise RegistryError(f"{ENVIRONMENT} is not set; it names the local registry's directory")
    Path(root).mkdir(parents=True, exist_ok=True)
    return Registry(Path(root))


def resource_name(model: str, number: int | None = None) -> str:
    """The name of a model, or of one of its versions, as Vertex AI would write it."""
    name = f"projects/local/locations/local/models/{model}"
    return name if number is None else f"{name}@{number}"


@contextlib.contextmanager
def _writing(home: Path) -> Iterator[Path]:
    """Holds the lock of a model, and yields where to write aside, which does not exist yet."""
    incoming = home / INCOMING
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / LOCK):
            shutil.rmtree(incoming, ignore_errors=True)  # A killed writer's.
            try:
                yield incoming
            finally:
                shutil.rmtree(incoming, ignore_errors=True)
    except OSError as error:
        raise RegistryError(
            f"could not write to {home} ({_reason(error)}); make room or change the directory's "
            "rights, then run again"
        ) from error


def _write_aliases(version: Version, aliases: set[str]) -> None:
    if aliases != set(version.facts.get("aliases", [])):
        facts = {**version.facts, "aliases": sorted(aliases)}
        files.write(version.path / VERSION, as_text(sealed(facts)))


def _numbers(home: Path, pattern: str = f"*/{SAVED_MODEL}") -> list[int]:
    names = (path.relative_to(home).parts[0] for path in home.glob(pattern))
    return sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]*", name))


def _reason(error: OSError) -> str:
    if isinstance(error, shutil.Error):  # A copy collects its failures.
        return str(error.args[0][0][2])
    return str(error)
