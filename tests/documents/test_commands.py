"""Every command in the documents is one that its program takes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import programs
from tests.documents.pages import Block, blocks, languages
from tests.documents.shell import Command, commands

SHELL = blocks("sh")
needs_gcloud = pytest.mark.skipif(
    not shutil.which("gcloud"), reason="gcloud is not on this machine"
)
SMALL = ("--filters", "4", "8", "--batch-size", "32", "--train-steps", "2")
"""Makes the last argument of a command that trains a matter of seconds."""


def test_code_is_in_a_language_that_a_test_looks_at() -> None:
    # text is what a command answered.
    assert languages() <= {"sh", "python", "json", "yaml", "text", "mermaid"}


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_each_command_is_one_that_its_program_takes(block: Block) -> None:
    found = commands(block.text)
    assert found
    for command in found:
        programs.check(command)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_the_projects_own_commands_are_where_the_set_up_puts_them(block: Block) -> None:
    for command in commands(block.text):
        if command.program == "fashion-mnist":
            assert command.words[0] == ".venv/bin/fashion-mnist"


@needs_gcloud
def test_gcloud_takes_each_of_its_commands(tmp_path: Path) -> None:
    given = [
        (str(block), command)
        for block in SHELL
        for command in commands(block.text)
        if command.program == "gcloud"
    ]
    assert len(given) > 10
    errors = refused([list(command.words[1:]) for _, command in given], tmp_path)
    told = [f"{at}: {command}\n{error}" for (at, command), error in zip(given, errors, strict=True)
            if error]  # fmt: skip
    assert not told, "\n\n".join(told)


@needs_gcloud
def test_a_flag_that_gcloud_does_not_have_is_found(tmp_path: Path) -> None:
    right, wrong = ["ai", "models", "list"], ["ai", "models", "list", "--filtr=x"]
    assert [bool(error) for error in refused([right, wrong], tmp_path)] == [False, True]


def refused(given: list[list[str]], tmp_path: Path) -> list[str]:
    """What gcloud's parser says to each command; empty where it takes it."""
    gcloud = Path(shutil.which("gcloud") or "").resolve()
    done = subprocess.run(
        [sys.executable, "-S", Path(__file__).with_name("gcloud_parser.py"), gcloud.parents[1]],
        input=json.dumps(given),
        env={**os.environ, "CLOUDSDK_CONFIG": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    errors: list[str] = json.loads(done.stdout)
    return errors


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rm -rf x", "no check is known for 'rm'"),
        ("make nothing", "nothing"),
        ("fashion-mnist swim", "no command 'swim'"),
        ("fashion-mnist run --fast", "--fast"),
        ("fashion-mnist run -p epoch=3", "epoch"),
        (".venv/bin/python -m components.train.trainer.task --swim 3 --job-dir x", "2"),
        (".venv/bin/python -m http.server", "http.server"),
        ("tb-gcp-uploader --folder=x", "folder"),
    ],
)
def test_a_command_that_its_program_does_not_take_is_found(text: str, reason: str) -> None:
    (command,) = commands(text)
    with pytest.raises((Exception, SystemExit), match=reason):
        programs.check(command)


def test_a_block_is_cut_into_its_commands() -> None:
    text = (
        "export A=1   # why\n"
        "X=2 gcloud a --b=c \\\n    -- d && printf '%s # no' \"$(base64 x)\" > file\n"
        ".venv/bin/python - <<'END'    # the jobs\nprint(1)\nEND\n"
    )
    assert commands(text) == [
        Command(("export", "A=1")),
        Command(("gcloud", "a", "--b=c", "--", "d")),
        Command(("printf", "%s # no", "$(base64 x)")),
        Command((".venv/bin/python", "-"), "print(1)"),
    ]


def trains(command: Command) -> bool:
    return "components.train.trainer.task" in command.words or command.words[1:4] == (
        "ai-platform",
        "local",
        "train",
    )


TRAINING = {
    str(command): command
    for block in SHELL
    for command in commands(block.text)
    if trains(command) and command.program in ("gcloud", "python")
}


@pytest.mark.real_data
@pytest.mark.parametrize("command", TRAINING.values(), ids=TRAINING)
def test_what_trains_here_trains(command: Command, tmp_path: Path) -> None:
    if command.program == "gcloud" and not shutil.which("gcloud"):
        pytest.skip("gcloud is not on this machine")
    words = [word.replace("$PWD", str(tmp_path)) for word in command.words]
    if command.program == "python":
        words[0] = sys.executable
    package = "components/train/trainer"
    words = [str(Path(package).absolute()) if word == package else word for word in words]
    done = subprocess.run(
        [*words, *SMALL],
        cwd=tmp_path,
        env={**os.environ, "CLOUDSDK_ML_ENGINE_LOCAL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (model,) = tmp_path.rglob("saved_model.pb")
    assert model.parent.name == "model"
