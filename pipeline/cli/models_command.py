"""The command that lists the models in the local registry."""

import datetime
from typing import Annotated, Any

import typer

from pipeline.cli.console import AsJson, next_steps, print_json, print_table, say
from pipeline.cli.options import ROOT, RootFolder, root_option
from pipeline.errors import UsageError
from pipeline.program import command


def models(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION|DIR]", help="What to verify: a version, an alias or a directory."
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Check models against what is recorded of them."),
    ] = False,
    root: RootFolder = ROOT,
    as_json: AsJson = False,
) -> None:
    """List the models in the local registry: their versions, the newest first.

    With `--verify` every file of a model is compared with its manifest, and its parameters, data,
    code and evaluation with what is recorded of them; exit code 1 where something does not hold.
    """
    from pipeline.cli.verify_command import verify_models
    from pipeline.runs.registry import Registry

    if verify:
        verify_models(root, model, as_json=as_json)
        return
    if model is not None:
        raise UsageError(f"models {model}: only --verify takes a model")
    registry = Registry(root / "registry")
    found = [
        facts_of(version)
        for name in registry.models()
        for version in reversed(registry.versions(name))
    ]
    if as_json:
        print_json(found)
        return
    if not found:
        say(f"no models in {registry.root}: `{command('run')}` trains one and uploads it")
        return
    columns = ("Version", "Aliases", "Accuracy", "Age", "Run")
    print_table(columns, [row(version) for version in found], whole="Run")
    next_steps({command(f"predict --version VERSION PHOTO{root_option(root)}"): "asks it"})


def facts_of(version: Any) -> dict[str, Any]:
    """What a program is told of a version."""
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


def row(version: dict[str, Any]) -> tuple[str, ...]:
    """What a person is told of it: a cell for each column."""
    from pipeline.duration import age

    accuracy, run = version["accuracy"], version["run"] or ""
    then = datetime.datetime.fromisoformat(version["created"]) if version["created"] else None
    now = datetime.datetime.now(tz=datetime.UTC)
    return (
        f"{version['model']}@{version['version']}",
        ", ".join(alias for alias in version["aliases"] if alias != run),
        "" if accuracy is None else f"{accuracy:.4f}",
        age((now - then).total_seconds()) if then else "",
        run,
    )
