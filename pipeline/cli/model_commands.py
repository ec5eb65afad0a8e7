"""The command about the versions in the local model registry."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.console import print_json, print_list, print_table, say
from pipeline.cli.options import ROOT, AsJson, RootFolder, named, option, root_option
from pipeline.errors import CommandError, UsageError
from pipeline.runs.root import Root
from pipeline.text import accuracy, age, command, printable, shown

if TYPE_CHECKING:
    from pipeline.runs.registry import Version


def models(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="VERSION|DIR",
            help="Which one: a version, an alias, or to verify a directory.",
            show_default=False,
            parser=named("VERSION|DIR"),
        ),
    ] = None,
    verify: Annotated[bool, option("Check models against their records.", "--verify")] = False,
    promote: Annotated[bool, option("Make a version the champion.", "--promote")] = False,
    delete: Annotated[bool, option("Delete a version.", "--delete")] = False,
    root: RootFolder = ROOT,
    as_json: AsJson = False,
) -> None:
    """List the versions in the local model registry, or change which one is the champion.

    With `--verify` it compares every file of a model with its manifest, and its parameters, data,
    code and evaluation with their records. The exit code is 1 if something differs.

    Examples:
        models  # all versions with their accuracy
        models --verify  # checks all versions
        models --verify default  # checks only the champion
        models --promote 2  # makes version 2 the champion again
        models --delete 3  # removes the files of version 3
        models --root elsewhere  # the versions of another root
    """
    from pipeline.runs.registry import Registry

    if verify + promote + delete > 1:
        raise UsageError("give one of --verify, --promote and --delete")
    if verify:
        _verify(Root(root), model, as_json)
        return
    if promote or delete:
        _change(Root(root), model, "promote" if promote else "delete", as_json)
        return
    if model is not None:
        raise UsageError(f"models {model}: give --verify, --promote or --delete with it")
    registry = Registry(root / "registry")
    found = [
        _version(version)
        for name in registry.models()
        for version in reversed(registry.versions(name))
    ]
    rows = [
        (
            f"{one['model']}@{one['version']}",
            ", ".join(alias for alias in one["aliases"] if alias != one["run"]),
            accuracy(one["accuracy"]),
            age(datetime.datetime.fromisoformat(one["created"]) if one["created"] else None),
            one["run"] or "",
        )
        for one in found
    ]
    train = command(f"run{root_option(root)}")
    print_list(
        as_json,
        found,
        ("Version", "Aliases", "Accuracy", "Age", "Run"),
        rows,
        nothing=f"no models in {registry.root}: `{train}` trains one and uploads it",
        then={command(f"predict --model VERSION PHOTO{root_option(root)}"): "asks it"},
    )


def _change(root: Root, what: str | None, action: str, as_json: bool) -> None:
    from pipeline.runs.chosen_model import choose
    from pipeline.runs.registry import Registry

    if what is None:
        raise UsageError(f"--{action}: give a version, as in `{command(f'models --{action} 2')}`")
    chosen = choose(root.path, version=what).facts
    registry = Registry(root.registry)
    version = getattr(registry, action)(chosen["model"], str(chosen["version"]))
    if as_json:
        print_json(_version(version))
    else:
        result = "is the champion" if action == "promote" else "is deleted"
        say(f"{version.model} version {version.number} {result}")


def _version(version: "Version") -> dict[str, Any]:
    facts = version.facts
    return {
        "model": version.model,
        "version": version.number,
        "aliases": list(version.aliases),
        "accuracy": facts.get("metrics", {}).get("accuracy"),
        "created": facts.get("created"),
        "run": facts.get("run"),
        "digest": version.digest,
        "path": str(version.path),
    }


def _verify(root: Root, what: str | None, as_json: bool) -> None:
    from pipeline.runs.registry import LOCK, Registry
    from pipeline.runs.verification import sound, verify

    versions = [version.resolve() for version in Registry(root.registry).directories()]
    found = {}
    for path in _meant(root, what):
        place = path.resolve()
        # A version of another root's registry has that registry's lock above it.
        found[path] = verify(path, registered=place in versions or (place.parent / LOCK).exists())
    if as_json:
        values = [
            {"path": str(path), "sound": sound(checks), "findings": [vars(one) for one in checks]}
            for path, checks in found.items()
        ]
        print_json(values)
    else:
        for path, checks in found.items():
            say(printable(shown(path)))
            rows = [(one.check, one.state, one.text) for one in checks]
            print_table(("Check", "State", "Found"), rows, wraps=True)
    if failed := [printable(path) for path, checks in found.items() if not sound(checks)]:
        raise CommandError(
            f"{len(failed)} of {len(found)} differ from their records: {', '.join(failed)}"
        )


def _meant(root: Root, what: str | None) -> list[Path]:
    """The directories of the models to verify: all versions if none is named."""
    from pipeline.runs.chosen_model import choose
    from pipeline.runs.registry import Registry

    if what is None:
        return Registry(root.registry).directories() or [choose(root.path).directory]
    if Path(what).is_dir():
        return [Path(what)]
    if "/" in what:
        raise UsageError(f"{what}: there is no such directory")
    return [choose(root.path, version=what).directory]
