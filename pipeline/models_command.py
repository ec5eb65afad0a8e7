"""The command that lists the models in the local registry."""

import datetime
from typing import Any

from pipeline.console import AsJson, next_steps, print_json, print_table, say
from pipeline.options import ROOT, RootFolder


def models(root: RootFolder = ROOT, as_json: AsJson = False) -> None:
    """List the models in the local registry: their versions, the newest first."""
    from pipeline.registry import Registry

    registry = Registry(root / "registry")
    found = [
        _as_json(version)
        for name in registry.models()
        for version in reversed(registry.versions(name))
    ]
    if as_json:
        print_json(found)
        return
    if not found:
        say(f"no models in {registry.root}: `fashion-mnist run` trains one and uploads it")
        return
    columns = ("Version", "Aliases", "Accuracy", "Age", "Run")
    print_table(columns, [_row(version) for version in found], whole="Run")
    next_steps({"fashion-mnist predict --version VERSION PHOTO": "asks it"})


def _as_json(version: Any) -> dict[str, Any]:
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


def _row(version: dict[str, Any]) -> tuple[str, ...]:
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
