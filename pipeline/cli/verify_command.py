"""What ``models --verify`` does: says what the checks of models found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.cli.console import print_json, print_table, say
from pipeline.errors import CommandError, UsageError
from pipeline.runs import registry as files
from pipeline.runs.chosen_model import choose
from pipeline.runs.registry import Registry
from pipeline.runs.verification import Finding, sound, verify

Findings = Mapping[Path, list[Finding]]


def verify_models(root: Path, what: str | None, *, as_json: bool = False) -> None:
    """Checks models, and says what was found.

    Args:
        root: The folder that holds all that is local.
        what: A version or alias, NAME@VERSION, or the directory of a model; None: all versions.
        as_json: Say it to a program.

    Raises:
        UsageError: There is no such directory.
        RegistryError: There is no such version.
        CommandError: There is no model, or a check failed.
    """
    found = {
        path: verify(path, registered=_registered(path, root)) for path in _directories(root, what)
    }
    if as_json:
        print_json([_as_json(path, findings) for path, findings in found.items()])
    else:
        _show(found)
    if failed := [str(path) for path, findings in found.items() if not sound(findings)]:
        raise CommandError(f"{len(failed)} of {len(found)} not as recorded: {', '.join(failed)}")


def _directories(root: Path, what: str | None) -> list[Path]:
    if what is None:
        return Registry(root / "registry").directories() or [choose(root).directory]
    if "/" in what or Path(what).is_dir():
        if not Path(what).is_dir():
            raise UsageError(f"{what}: there is no such directory")
        return [Path(what)]
    return [choose(root, version=what).directory]


def _registered(path: Path, root: Path) -> bool:
    """Whether a registry holds the directory as a version: this root's, or another."""
    own = [version.resolve() for version in Registry(root / "registry").directories()]
    return path.resolve() in own or (path.resolve().parent / files.LOCK).exists()


def _show(found: Findings) -> None:
    for path, findings in found.items():
        say(str(path))
        rows = [(each.check, each.state, each.text) for each in findings]
        print_table(("Check", "State", "Found"), rows)


def _as_json(path: Path, findings: list[Finding]) -> dict[str, Any]:
    return {"path": str(path), "sound": sound(findings), "findings": [vars(f) for f in findings]}
