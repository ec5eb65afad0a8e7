"""The help of the commands, their colours, and what wrong use is answered with."""

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.cli.app import app
from pipeline.compiler import PROJECT
from tests.command import fashion_mnist
from tests.pipeline.cli.conftest import Call

TOP = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COMMANDS: dict[tuple[str, ...], Any] = {
    **{(name,): one for name, one in TOP.items() if name != "schedules"},
    **{("schedules", name): one for name, one in TOP["schedules"].commands.items()},
}
EXAMPLES = re.compile(r"`\S*fashion-mnist (.*?)`: ")
COLOUR = re.compile(r"\x1b\[[0-9;]*[34][0-9]")
HEAVY = {
    *("tensorflow", "keras", "kfp", "numpy", "PIL", "yaml", "google.auth", "google.api_core"),
    *("google.cloud.aiplatform", "google.cloud.aiplatform_v1", "google.cloud.storage"),
}


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_command_has_json_and_no_type_at_its_flags(
    names: tuple[str, ...], call: Call
) -> None:
    text = call(*names, "--help").stdout
    assert "--json" in text
    assert "<bool>" not in text


@pytest.mark.parametrize("name", TOP)
def test_every_example_in_the_help_is_a_line_that_works(name: str, call: Call) -> None:
    epilog = TOP[name].epilog or ""
    examples = EXAMPLES.findall(epilog)
    assert examples
    text = " ".join(call(name, "--help", env={"COLUMNS": "400"}).stdout.split())
    for example in examples:
        assert example in text
        names = example.split()[: 2 if name == "schedules" else 1]
        arguments = shlex.split(re.sub(r" [<>] \S+$", "", example))[len(names) :]
        COMMANDS[tuple(names)].make_context(names[-1], arguments)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "from typer.testing import CliRunner\n"
        "from pipeline.cli.app import app\n"
        "for name in [], ['run'], ['submit'], ['predict']:\n"
        "    assert CliRunner().invoke(app, [*name, '--help']).exit_code == 0\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False),
    ],
)
def test_colours_follow_the_environment(
    environment: dict[str, str], coloured: bool, call: Call
) -> None:
    unset = {"TERM": "xterm-256color", "NO_COLOR": "", "FORCE_COLOR": "", "GITHUB_ACTIONS": ""}
    done = call("report", "--root", "nowhere", env={**unset, **environment}, color=True)
    assert bool(COLOUR.search(done.stderr)) == coloured


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("prameters",), "Did you mean 'parameters'?"),
        (("schedules", "lst"), "Did you mean 'list'?"),
        (("run", "--sorce", "x"), "--source"),
        (("run", "--fast"), "No such option: --fast"),
    ],
)
def test_a_wrong_name_is_exit_code_2_with_a_hint(
    arguments: tuple[str, ...], hint: str, call: Call
) -> None:
    done = call(*arguments)
    assert done.exit_code == 2
    assert hint in done.stderr
    assert done.stdout == ""


def test_the_version_is_the_package_version(call: Call) -> None:
    done = call("--version")
    assert (done.exit_code, done.stdout) == (
        0,
        f"fashion-mnist {version('fashion-mnist-pipeline')}\n",
    )


def test_the_exit_code_of_an_error_is_that_of_the_process(tmp_path: Path) -> None:
    done = fashion_mnist("predict", "boot.jpg", "--model", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: --model nowhere: there is no saved_model.pb in it\n"
    assert done.stdout == ""
