"""The model that is meant: a version in the registry, a run's, or a directory."""

import dataclasses
from pathlib import Path
from typing import Any, Final

from components.dataset.description import Description
from pipeline.errors import CommandError, UsageError
from pipeline.runs.finding import LAST, find, newest
from pipeline.runs.registry import ALIAS, SAVED_MODEL, Registry
from pipeline.runs.root import Root
from pipeline.text import command, printable
from serving import labels

MODEL: Final = "fashion-mnist"
"""The model that is taken when the registry has several and none is named."""


@dataclasses.dataclass(frozen=True)
class ChosenModel:
    """A SavedModel and where it comes from: as people see it, and as JSON values.

    Attributes:
        run: Id of the run that trained it; empty when unknown.
        accuracy: On the test examples; None when unknown.
    """

    directory: Path
    title: str
    facts: dict[str, Any]
    run: str = ""
    accuracy: float | None = None

    @property
    def description(self) -> Description | None:
        """What it was trained on; None if its directory does not say so."""
        return labels.description(self.directory)

    def as_json(self) -> dict[str, Any]:
        """Where it comes from, as JSON values."""
        return {**self.facts, "path": str(self.directory)}


def choose(
    root: Path, version: str | None = None, run: str | None = None, model: str | None = None
) -> ChosenModel:
    """The model that is asked for; by default the version with the alias ``default``.

    A version is a number or an alias, with ``NAME@`` in front for another model. A run is its id,
    a part of it, or ``last``: the newest that left a model. A model is the directory of a
    SavedModel, or ``NAME`` or ``NAME@VERSION`` in the registry.

    Raises:
        UsageError: More than one of them was given, or there is no such directory or run.
        CommandError: There is no model.
        RegistryError: The registry has no such version.
    """
    given = {"--version": version, "--run": run, "--model": model}
    named = [option for option, value in given.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)}: each names a model; give one of them")
    if model is not None:
        return _named(root, model)
    return _in_registry(root, version) if run is None else _of_run(root, run)


def _named(root: Path, model: str) -> ChosenModel:
    directory = Path(model)
    if (directory / SAVED_MODEL).is_file():
        return ChosenModel(directory, f"the model in {printable(model)}", {})
    registry = Registry(root / "registry")
    known = registry.models()
    if (model.rpartition("@")[0] or model) in known:
        return _in_registry(root, model if "@" in model else f"{model}@{ALIAS}")
    others = f", only {', '.join(known)}" if known else ""
    raise UsageError(
        f"--model {printable(model)}: there is no {SAVED_MODEL} in it, and no model of this name "
        f"in {registry.root}{others}"
    )


def _of_run(root: Path, reference: str) -> ChosenModel:
    run = find(Root(root), reference)
    if reference == LAST:
        run = newest(Root(root), "a model", lambda run: run.model)
    path = run.model
    if path is None:
        raise CommandError(
            f"run {run.id} ({run.state}) left no model; `{command('runs')}` lists the others"
        )
    title = f"the model of run {run.id}"
    return ChosenModel(path, title, {"run": run.id}, run.id, run.accuracy)


def _in_registry(root: Path, reference: str | None) -> ChosenModel:
    registry = Registry(root / "registry")
    known = registry.models()
    if not known:
        raise CommandError(
            f"there is no model in {registry.root} yet: `{command('run')}` trains one in a few "
            "minutes; in a fresh clone `make run` sets up everything first"
        )
    name, _, alias = (ALIAS if reference is None else reference).rpartition("@")
    if not name and MODEL not in known and len(known) > 1:
        raise UsageError(
            f"{registry.root} has several models: say which, as NAME@{alias}, with one of "
            f"{', '.join(known)}"
        )
    version = registry.resolve(name or (MODEL if MODEL in known else known[0]), alias)
    return ChosenModel(
        version.path,
        f"{version.model} version {version.number}",
        {"model": version.model, "version": version.number},
        version.facts.get("run", ""),
        version.facts.get("metrics", {}).get("accuracy"),
    )
