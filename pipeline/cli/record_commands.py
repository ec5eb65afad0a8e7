"""The commands about what earlier runs left: runs, models, reports."""

import datetime
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.console import print_json, print_list, print_table, say, say_aside
from pipeline.cli.options import (
    ROOT,
    AsJson,
    Count,
    RootFolder,
    named,
    option,
    root_option,
    write_to,
)
from pipeline.errors import CommandError, UsageError
from pipeline.runs.root import Root
from pipeline.text import age, command, duration, printable, shown

if TYPE_CHECKING:
    from pipeline.runs.registry import Version


def runs(
    root: RootFolder = ROOT,
    count: Count = 20,
    prune: Annotated[
        bool, option("Remove old runs, and say how much space that frees.", "--prune")
    ] = False,
    keep: Annotated[
        int, option("With --prune: how many of the successful runs to keep.", min=0)
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """List the runs on this machine, the newest first, or remove old ones.

    `--prune` keeps the newest successful runs, what came after them, and the runs whose outputs
    they use. Models in the registry stay; `models --delete` removes one.

    Examples:
        runs  # the newest 20
        runs --count 1 --json  # the newest one, for a program
        runs --prune --keep 1  # removes all runs before the newest that succeeded
    """
    from pipeline.runs.finding import listed

    if prune:
        _prune(Root(root), keep, as_json)
        return
    found = listed(Root(root))[:count]
    rows = [
        (
            run.id,
            run.state,
            _accuracy(run.accuracy),
            run.version,
            age(run.started),
            duration(run.seconds) if run.seconds else "",
        )
        for run in found
    ]
    print_list(
        as_json,
        [run.as_line() for run in found],
        ("Run", "State", "Accuracy", "Version", "Age", "Time"),
        rows,
        nothing=f"no runs in {root}: `{command('run')}` makes one",
        then={command(f"predict --run RUN PHOTO{root_option(root)}"): "asks its model"},
    )


def _prune(root: Root, keep: int, as_json: bool) -> None:
    from rich.filesize import decimal

    from pipeline.local.emulator import alone
    from pipeline.runs.pruning import prune

    with alone(root.bucket):
        removed = prune(root, keep)
    freed = sum(size for _run, size in removed)
    if as_json:
        print_json({"removed": [run.id for run, _size in removed], "bytes": freed})
    else:
        say(f"removed {len(removed)} run{'s' * (len(removed) != 1)}: {decimal(freed)} are free")


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
            _accuracy(one["accuracy"]),
            age(datetime.datetime.fromisoformat(one["created"]) if one["created"] else None),
            one["run"] or "",
        )
        for one in found
    ]
    print_list(
        as_json,
        found,
        ("Version", "Aliases", "Accuracy", "Age", "Run"),
        rows,
        nothing=f"no models in {registry.root}: `{command('run')}` trains one and uploads it",
        then={command(f"predict --version VERSION PHOTO{root_option(root)}"): "asks it"},
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


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="A run's id, a unique part of it, or its folder; else the newest run.",
            show_default=False,
            parser=named("RUN"),
        ),
    ] = None,
    root: RootFolder = ROOT,
    output: Annotated[
        Path | None,
        option(
            "File to write instead of `report.html` in the run's folder.",
            parser=write_to("--output"),
        ),
    ] = None,
    show: Annotated[
        bool | None,
        option(
            "Open it in the browser; by default only on a terminal with a display.",
            "--open/--no-open",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild the report of a run and open it.

    The report is one self-contained file to send to a colleague: the verdict and its reason,
    learning curves, mistakes, calibration, parameters, and where the model is. With `--json` it
    prints what the report is about and opens nothing.

    Examples:
        report  # the report of the newest run, in the browser
        report ab12 --output report.html  # another run's report, to send to somebody
    """
    import webbrowser

    from pipeline.runs.finding import find, newest
    from pipeline.runs.report import rebuild

    place = Root(root)
    meant = find(place, run) if run else newest(place, "an evaluation", lambda one: one.evaluated)
    page = rebuild(meant, output).resolve()
    if as_json:
        record = meant.as_json()
        about = {name: record[name] for name in ("run", "state", "metrics", "verdict", "model")}
        print_json({**about, "report": str(page)})
    else:
        say(printable(shown(page)))
    wanted = has_display() and not as_json if show is None else show
    if wanted and not webbrowser.open(page.as_uri()):
        say_aside("no browser was found; open the file in one")


def has_display() -> bool:
    """Whether there is a person at a terminal who can see a browser."""
    headless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return sys.stdout.isatty() and not headless


def _accuracy(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.4f}"
