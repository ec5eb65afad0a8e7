"""What ``models --verify`` does: says what the checks of a model found."""

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import CommandError, UsageError
from pipeline.registry import Registry
from pipeline.verification import Finding, sound, verify

COLOURS: Final = {"ok": "green", "note": "yellow", "failed": "bold red"}


def verify_models(registry: Registry, model: str, what: str, console: Console) -> None:
    """Checks a model, and says what was found.

    Args:
        registry: Where the versions are.
        model: The model's name.
        what: A version number, an alias, or the directory of a model; empty: all versions.
        console: Where to say it.

    Raises:
        UsageError: There is no such directory.
        RegistryError: There is no such version.
        CommandError: A check failed.
    """
    found = {path: verify(path) for path in _directories(registry, model, what)}
    for path, findings in found.items():
        _tell(path, findings, console)
    if failed := [str(path) for path, findings in found.items() if not sound(findings)]:
        raise CommandError(f"{len(failed)} of {len(found)} not as recorded: {', '.join(failed)}")


def _directories(registry: Registry, model: str, what: str) -> list[Path]:
    if not what:
        versions = registry.versions(model)
        return [version.path for version in versions or [registry.resolve(model, "default")]]
    if "/" in what or Path(what).is_dir():
        if not Path(what).is_dir():
            raise UsageError(f"{what}: there is no such directory")
        return [Path(what)]
    return [registry.resolve(model, what).path]


def _tell(path: Path, findings: list[Finding], console: Console) -> None:
    console.print(escape(str(path)), highlight=False)
    table = Table(box=None, show_header=False, pad_edge=True)
    for finding in findings:
        state = f"[{COLOURS[finding.state]}]{finding.state}[/]"
        table.add_row(finding.check, state, escape(finding.text))
    console.print(table)
