"""Wrong use of the commands: one clear line each, and the right exit code."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline import compiler
from pipeline.cli.app import app
from pipeline.compiler import PROJECT
from pipeline.errors import UsageError
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
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "did you mean epochs" in done.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    done = fashion_mnist("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("compile", "run", "runs", "models", "predict", "submit", "watch", "schedules"):
        assert command in done.stdout


class TestJson:
    def printed(self, *arguments: str) -> Any:
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        assert done.stderr == ""
        return json.loads(done.stdout)

    def test_parameters_have_their_types(self) -> None:
        known = {one["name"]: one for one in self.printed("parameters", "--json")}
        assert known["epochs"] == {
            "name": "epochs",
            "kind": "a whole number",
            "required": False,
            "default": 7,
            "description": "Passes over the training examples.",
        }
        assert known["filters"]["default"] == [32, 64, 128]
        assert known["bucket_uri"]["required"] is True

    def test_what_was_compiled_is_listed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(compiler, "build", lambda _image: {"pipeline.yaml": "spec"})
        printed = self.printed("compile", "--output", str(tmp_path), "--json")
        assert printed == {"written": [str(tmp_path / "pipeline.yaml")]}

    def test_a_stale_file_is_told_and_still_exit_code_1(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compiler, "check", lambda: None)
        assert self.printed("compile", "--check", "--json") == {"up_to_date": True, "reason": ""}

        def stale() -> None:
            raise UsageError("compiled/ is stale: run `make compile`")

        monkeypatch.setattr(compiler, "check", stale)
        done = CliRunner().invoke(app, ["compile", "--check", "--json"])
        assert done.exit_code == 1
        assert json.loads(done.stdout)["up_to_date"] is False
        assert "error: compiled/ is stale" in done.stderr


def test_commands_name_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler, "build", lambda _image: {"pipeline.yaml": "spec"})
    for arguments, step in (
        (("compile", "--output", str(tmp_path)), "fashion-mnist run "),
        (("compile", "--output", str(tmp_path), "--image", "i@sha256:0"), "submit --bucket BUCKET"),
        (("parameters",), "fashion-mnist run -p NAME=VALUE"),
    ):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        assert step in done.stderr
        assert "Next" not in done.stdout


@pytest.mark.parametrize("name", ["run", "runs", "predict", "submit", "compile", "watch"])
def test_the_readme_names_every_option(name: str) -> None:
    readme = (PROJECT / "README.md").read_text()
    (command,) = [one for one in app.registered_commands if name in (one.name, called(one))]
    parameters = inspect.signature(command.callback or called).parameters
    unnamed = {"parameter", "job", "root", "output", "every", "photos", "count"}
    for parameter in set(parameters) - unnamed:
        option = parameter.removeprefix("as_").replace("_", "-")
        assert f"--{option}" in readme, parameter


def called(command: Any) -> str:
    return str(getattr(command.callback, "__name__", ""))
