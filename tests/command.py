"""The command line as a person calls it: in a process of its own, or quicker in this one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner


def fashion_mnist(
    *arguments: str, cwd: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def here(*arguments: str) -> "subprocess.CompletedProcess[str]":
    from pipeline.cli.app import app

    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def start(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    # A shell lets what it starts in the background ignore Ctrl-C, and what that starts too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def newest_run(root: Path) -> Path:
    return max((root / "runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)


def versions(root: Path) -> list[str]:
    """The versions in the registry's folder, looked at without the project's own code."""
    folder = root / "registry" / "fashion-mnist"
    return sorted(path.name for path in folder.glob("*") if path.name.isdigit())
