"""What of a document's command can be checked without running it, program by program."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from components.train.trainer import task
from components.train.trainer.hyperparameters import PRESETS
from pipeline.cli.app import app
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests.documents.shell import Command

UPLOADER = """
import sys
from absl import flags
from google.cloud.aiplatform.tensorboard import uploader_main
flags.FLAGS(sys.argv)
"""


def check(command: Command) -> None:
    """Fails where a program is not known here, or would refuse the command.

    gcloud's are left to its own parser, see ``gcloud_parser``.
    """
    assert command.program in CHECKS, f"no check is known for {command.program!r}"
    CHECKS[command.program](command)


def make(command: Command) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    given = [word for word in command.words[1:] if "=" not in word]
    assert given, "make needs a target"
    assert set(given) <= targets, given
    for word in command.words[1:]:
        assert "=" not in word or word.startswith(("ARGS=", "PYTHON="))
    if command.words[1] == "run" and len(command.words) > 2:
        words = command.words[2].removeprefix("ARGS=").split()
        fashion_mnist(Command(("fashion-mnist", "run", *words)))


def fashion_mnist(command: Command) -> None:
    context = parsed(command.words[1:])
    spec = specs.load(COMPILED / PIPELINE)
    parameters.parse(context.params.get("parameter") or [], spec)
    if context.params.get("preset"):
        assert context.params["preset"] in PRESETS


def parsed(words: Sequence[str]) -> Any:
    """The context of the innermost command; wrong options raise click's errors."""
    command: Any = typer.main.get_command(app)
    words = [word for word in words if word != "--verbose"]
    while hasattr(command, "commands"):
        name, *rest = words
        inner = command.commands.get(name)
        assert inner is not None, f"there is no command {name!r}"
        command, words = inner, rest
    return command.make_context(command.name, list(words))


def python(command: Command) -> None:
    if command.input:
        ast.parse(command.input)
        return
    flag, module, *rest = command.words[1:]
    assert flag == "-m"
    if module == task.__name__:
        trainer(rest)
    elif module == "pipeline":
        fashion_mnist(Command(("fashion-mnist", *rest)))
    else:
        raise AssertionError(f"no check is known for the module {module}")


def trainer(words: Sequence[str]) -> None:
    """The trainer's own arguments, also behind gcloud's ``--``."""
    arguments = task.parser().parse_args(list(words))
    task.hyperparameters(arguments)


def gcloud(command: Command) -> None:
    words = command.words
    if words[1:4] == ("ai-platform", "local", "train"):
        trainer(["--job-dir", "x", *words[words.index("--") + 1 :]])
    if words[1:4] == ("ai", "custom-jobs", "create"):
        for word in words:
            if word.startswith("--args="):
                trainer(word.removeprefix("--args=").split(","))


def tb_gcp_uploader(command: Command) -> None:
    # In a process of its own: its flags would be those of every program here.
    done = subprocess.run(
        [sys.executable, "-c", UPLOADER, *command.words[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def tensorboard(command: Command) -> None:
    from tensorboard import program

    program.TensorBoard().configure(argv=list(command.words))


def harmless(command: Command) -> None:
    """A program of the shell that changes nothing but files that the reader named."""


CHECKS: dict[str, Callable[[Command], None]] = {
    "make": make,
    "fashion-mnist": fashion_mnist,
    "python": python,
    "gcloud": gcloud,
    "tb-gcp-uploader": tb_gcp_uploader,
    "tensorboard": tensorboard,
    "export": harmless,
    "printf": harmless,
}
