"""What the commands say of themselves, and how."""

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.examples import EXAMPLES
from pipeline.compiler import PROJECT
from tests.command import fashion_mnist

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COLOUR = re.compile(r"\x1b\[[0-9;]*[34][0-9]")
HEAVY = {
    *("tensorflow", "keras", "kfp", "numpy", "PIL", "yaml", "google.auth", "google.api_core"),
    *("google.cloud.aiplatform", "google.cloud.aiplatform_v1", "google.cloud.storage"),
}


def helped(*arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "400"})
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_in_its_help(name: str) -> None:
    text = helped(name)
    for example, does in EXAMPLES[name].items():
        assert f"fashion-mnist {example}" in text
        assert does.replace("`", "") in text


@pytest.mark.parametrize(
    "example", [example for examples in EXAMPLES.values() for example in examples]
)
def test_every_example_is_a_line_that_its_command_takes(example: str) -> None:
    line = re.sub(r" [<>] \S+$", "", example)
    name, *arguments = shlex.split(line)
    command = COMMANDS[name]
    if name == "schedules":
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(name, arguments)


@pytest.mark.parametrize("arguments", [(), ("run",), ("submit",), ("predict",), ("schedules",)])
def test_help_is_instant_since_nothing_heavy_is_imported(arguments: tuple[str, ...]) -> None:
    code = (
        "import json, sys\n"
        "from typer.testing import CliRunner\n"
        "from pipeline.cli.app import app\n"
        "assert CliRunner().invoke(app, [*sys.argv[1:], '--help']).exit_code == 0\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = json.loads(done.stdout)
    assert "typer" in loaded
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False),
        ({"NO_COLOR": "1"}, False),
    ],
)
@pytest.mark.parametrize("arguments", [("--help",), ("run", "--fast"), ("runs", "--root", "x")])
def test_colours_are_shown_where_they_are_wanted(
    environment: dict[str, str], coloured: bool, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    unset = {"TERM": "xterm-256color", "NO_COLOR": "", "FORCE_COLOR": "", "GITHUB_ACTIONS": ""}
    done = fashion_mnist(*arguments, cwd=tmp_path, **{**unset, **environment})
    written = done.stdout + done.stderr
    if arguments[0] == "runs":
        assert "\x1b" not in written or coloured
    else:
        assert bool(COLOUR.search(written)) == coloured, repr(written)


def test_what_is_mistyped_is_told_with_what_may_be_meant(tmp_path: Path) -> None:
    for arguments, hint in (
        (("prameters",), "Did you mean 'parameters'?"),
        (("schedules", "lst"), "Did you mean 'list'?"),
        (("run", "--sorce", "x"), "--source"),
        (("predict", "--versoin", "1", "x"), "--version"),
    ):
        done = fashion_mnist(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert hint in done.stderr
        assert done.stdout == ""


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    done = fashion_mnist("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        f"fashion-mnist {version('fashion-mnist-pipeline')}\n",
    )


def test_an_option_without_a_value_is_shown_without_a_type() -> None:
    for text in (helped(), helped("submit"), helped("schedules")):
        assert "<bool>" not in text
    assert "<path>" in helped("run")


def test_the_commands_stand_in_groups() -> None:
    text = helped()
    places = [text.index(title) for title in ("On this machine", "On Vertex AI", "compiled")]
    assert all(place > 0 for place in places)
    for title in ("Where", "What to run", "Again and again"):
        assert title in helped("submit")


@pytest.mark.parametrize(
    "names",
    [
        *((name,) for name in COMMANDS if name != "schedules"),
        *(("schedules", name) for name in ("list", "pause", "resume", "delete")),
    ],
    ids=" ".join,
)
def test_every_command_has_json(names: tuple[str, ...]) -> None:
    assert "--json" in helped(*names)
