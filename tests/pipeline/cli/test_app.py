"""The help of the commands, their colours, and what wrong use is answered with."""

import json
import os
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
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.runs.root import VARIABLE
from pipeline.specs.parameters import SET_BY_COMMANDS, describe
from pipeline.specs.spec import load
from pipeline.text import command
from tests.command import fashion_mnist, start
from tests.pipeline.cli.conftest import Call

TOP = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def _all(commands: dict[str, Any], *above: str) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, one in commands.items():
        inner = getattr(one, "commands", None)
        found |= _all(inner, *above, name) if inner else {(*above, name): one}
    return found


COMMANDS = _all(TOP)
EXAMPLES = [(name,) for name in TOP] + [names for names in COMMANDS if names[0] == "kubeflow"]
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


@pytest.mark.parametrize("path", EXAMPLES, ids=" ".join)
def test_every_example_in_the_help_is_a_line_that_works(path: tuple[str, ...], call: Call) -> None:
    lines = call(*path, "--help", env={"COLUMNS": "40"}).stdout.splitlines()
    one = COMMANDS.get(path) or TOP[path[0]]
    examples = [example for example, _ in one.examples]
    assert examples or path[:2] == ("kubeflow", "schedules")
    for example in examples:
        assert f"   {command(example)}" in lines
        words = example.split()
        names = next(words[:n] for n in (1, 2, 3) if tuple(words[:n]) in COMMANDS)
        arguments = shlex.split(re.sub(r" [<>] \S+$", "", example))[len(names) :]
        COMMANDS[tuple(names)].make_context(names[-1], arguments)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "from typer.testing import CliRunner\n"
        "from pipeline.cli.app import app\n"
        "for name in [], ['run'], ['submit'], ['predict'], ['kubeflow', 'submit']:\n"
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
        (("run", "--sorce", "x"), "--sorce; did you mean --source?"),
        (("run", "--fast"), "--fast; did you mean --preset fast?"),
        (("run", "--foo"), "No such option: --foo (see `fashion-mnist run --help`)"),
        (("runs", "--epochs", "3"), "No such option: --epochs (see"),
        (("run", "--\x1b[31m"), r"No such option: --\x1b[31m"),
        (("predict",), "Missing argument 'PHOTO' (see `fashion-mnist predict --help`)"),
    ],
)
def test_wrong_use_is_a_line_with_a_hint_and_exit_code_2(
    arguments: tuple[str, ...], hint: str, call: Call
) -> None:
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert hint in done.stderr


@pytest.mark.parametrize("name", ["run", "submit"])
def test_a_parameter_given_as_an_option_is_answered_with_p(name: str, call: Call) -> None:
    options = {option for one in TOP[name].params for option in one.opts}
    for parameter in describe(load(COMPILED / PIPELINE)):
        option = f"--{parameter.name.replace('_', '-')}"
        if option not in options and parameter.name not in SET_BY_COMMANDS:
            meant = f"{option}; did you mean -p {parameter.name}="
            assert f"{meant}3?" in call(name, option, "3").stderr
    assert f"{meant}3?" in call(name, f"{option}=3").stderr
    assert f"{meant}VALUE?" in call(name, option, "--json").stderr


@pytest.mark.parametrize("arguments", [("submit", "--help"), ("parameters", "--json"), ("runs",)])
@pytest.mark.parametrize("reads", [0, 1])
def test_a_reader_that_leaves_ends_a_command_without_a_word(
    arguments: tuple[str, ...], reads: int, tmp_path: Path
) -> None:
    for number in range(300):
        (tmp_path / ".fashion-mnist" / "runs" / f"run-{number}").mkdir(parents=True)
    count = ("--count", "300") if arguments == ("runs",) else ()
    with start(*arguments, *count, cwd=tmp_path) as process:
        assert process.stdout and process.stderr
        process.stdout.read(reads)
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode in (0, 1), said) == (True, "")


def test_a_full_disk_is_one_line_even_for_the_help(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "pipeline", "--help"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the disk is full" in done.stderr


def test_in_a_folder_of_the_project_its_runs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    places = {PROJECT: ".fashion-mnist", PROJECT / "docs": "../.fashion-mnist", Path("/usr"): None}
    for folder, shown in places.items():
        monkeypatch.chdir(folder)
        context = TOP["runs"].make_context("runs", [])
        assert context.params["root"] == Path(shown or PROJECT / ".fashion-mnist")


def test_the_version_is_the_package_version(call: Call) -> None:
    done = call("--version")
    assert (done.exit_code, done.stdout) == (
        0,
        f"fashion-mnist {version('fashion-mnist-pipeline')}\n",
    )


def test_the_exit_code_of_an_error_is_that_of_the_process(tmp_path: Path) -> None:
    done = fashion_mnist("predict", "boot.jpg", "--model", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: --model nowhere: there is no saved_model.pb in it, and no model of this name in "
        ".fashion-mnist/registry\n"
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "completed"),
    [("fashion-mnist pre", "predict"), ("fashion-mnist run --pre", "--preset")],
)
def test_a_shell_completes_commands_and_options(words: str, completed: str) -> None:
    shell = {
        "_FASHION_MNIST_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    program = Path(sys.executable).with_name("fashion-mnist")
    environment = {**os.environ, **shell}
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [completed]


def test_an_option_of_another_command_is_answered_with_its_name(call: Call) -> None:
    assert "--bucket; it is an option of submit (see" in call("run", "--bucket", "x").stderr


@pytest.mark.parametrize("root", ["gs://bucket", "s3://bucket"])
def test_a_root_in_a_bucket_is_refused_by_its_variable(
    root: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHION_MNIST_ROOT", root)
    done = call("runs")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"FASHION_MNIST_ROOT is {root}: it must name a folder on this machine" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "--save", "", "PHOTO"),
        ("predict", "--model", "", "PHOTO"),
        ("models", "--delete", ""),
        ("models", "--promote", ""),
        ("run", "--root", ""),
        ("run", "--spec", ""),
    ],
)
def test_an_empty_value_is_wrong_use(arguments: tuple[str, ...], call: Call) -> None:
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is empty; give a value, or leave it out" in done.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [("run -p learn", "learning_rate="), ("run --preset a", "accurate"), ("pred", "predict")],
)
def test_a_shell_completes_commands_parameters_and_presets(
    words: str, offered: str, call: Call
) -> None:
    script = {"_FASHION_MNIST_COMPLETE": "complete_bash", "COMP_WORDS": f"fashion-mnist {words}"}
    script["COMP_CWORD"] = str(len(words.split()))
    assert offered in call(env=script).stdout.split()
