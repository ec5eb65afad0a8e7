"""The command line as a person calls it, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def fashion_mnist(
    *arguments: str, cwd: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Calls ``fashion-mnist`` and waits for it."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def newest_run(root: Path) -> Path:
    """The folder of the newest run under ``root``."""
    return max((root / "runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)


def summary(root: Path) -> dict[str, Any]:
    """``summary.json`` of the newest run under ``root``."""
    content: dict[str, Any] = json.loads((newest_run(root) / "summary.json").read_text())
    return content


def states(root: Path) -> dict[str, str]:
    """State of each step of the newest run."""
    return {step["name"]: step["state"] for step in summary(root)["steps"]}


def versions(root: Path) -> list[str]:
    """The versions in the registry's folder, looked at without the project's own code."""
    folder = root / "registry" / "fashion-mnist"
    return sorted(path.name for path in folder.glob("*") if path.name.isdigit())
