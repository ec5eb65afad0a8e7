"""Wrong use of the commands: one clear line each, and the right exit code."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import app
from pipeline.compiler import PROJECT
from tests.command import fashion_mnist


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-p", "epoch=3"], "the pipeline has no parameter 'epoch'; did you mean epochs?"),
        (["-p", "epochs=three"], "-p epochs=three: epochs takes a whole number"),
        (["-p", "epochs"], "-p epochs: give a parameter as name=value"),
        (["--source", "/no/where"], "source=/no/where: there is no such directory"),
        (["--spec", "no.yaml"], "--spec no.yaml: there is no such file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: list[str], expected: str, tmp_path: Path
) -> None:
    done = fashion_mnist("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip() == f"error: {expected}"
    assert list(tmp_path.iterdir()) == [], "nothing was started"


def test_an_unknown_option_is_exit_code_2(tmp_path: Path) -> None:
    done = fashion_mnist("run", "--fast", cwd=tmp_path)
    assert done.returncode == 2
    assert "No such option: --fast" in done.stderr


def test_a_traceback_is_shown_when_asked_for(tmp_path: Path) -> None:
    done = fashion_mnist("run", "-p", "epoch=3", "--verbose", cwd=tmp_path)
    assert "Traceback" in done.stderr
    assert "did you mean epochs" in done.stderr


def test_help_names_every_command_without_heavy_imports(tmp_path: Path) -> None:
    done = fashion_mnist("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("compile", "run", "submit", "watch", "jobs", "cancel", "schedules"):
        assert command in done.stdout
    code = (
        "import sys, pipeline.cli; "
        "print(sorted({'kfp', 'tensorflow', 'google.cloud.aiplatform'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["run", "submit", "compile", "watch"])
def test_the_readme_names_every_option(name: str) -> None:
    readme = (PROJECT / "README.md").read_text()
    (command,) = [one for one in app.registered_commands if name in (one.name, called(one))]
    parameters = inspect.signature(command.callback or called).parameters
    unnamed = {"parameter", "job", "root", "output", "every"}
    for parameter in set(parameters) - unnamed:
        assert f"--{parameter.replace('_', '-')}" in readme, parameter


def called(command: Any) -> str:
    return str(getattr(command.callback, "__name__", ""))
