"""What all commands share: examples in their help, one line for an error, an exit code."""

import contextlib
import difflib
import errno
import io
import logging
import shlex
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from components.dataset.errors import StepError
from components.train.trainer.hyperparameters import PRESETS
from pipeline.cli.console import console, say, styled
from pipeline.errors import CommandError, StepFailed, UsageError
from pipeline.text import command, printable

LAST_LINES: Final = 15
VERBOSE: Final = "--verbose"
EXAMPLES: Final = "\nExamples:\n"
"""Begins the part of a docstring that the help shows at its end: ``arguments  # what it does``."""


class Documented:
    """Shows examples at the end of the help, and flags without the type of a value."""

    def __init__(self, *arguments: Any, help: str | None = None, **options: Any) -> None:  # noqa: A002
        about, _, examples = (help or "").partition(EXAMPLES)
        self.examples = [line.strip().split("  # ") for line in examples.strip().splitlines()]
        super().__init__(*arguments, help=about.strip(), **options)  # type: ignore[call-arg]

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of a command."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False) and parameter.metavar is None:
                parameter.metavar = ""
        return parameters

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Prints the help; each example is a line that can be copied."""
        super().format_help(ctx, formatter)  # type: ignore[misc]
        if self.examples:
            say(" Examples\n")
        for arguments, does in self.examples:
            say(f"   {command(arguments)}\n     {does}")


class Command(Documented, TyperCommand):
    """A command."""


class Group(Documented, TyperGroup):
    """A command with subcommands."""


class Commands(Group):
    """The group of all commands; see ``pipeline.errors`` for the exit codes."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> NoReturn:
        """Runs a command and exits; an error is a line. Takes ``--verbose`` anywhere."""
        given = sys.argv[1:] if args is None else list(args)
        known = [text for text in given if text != VERBOSE]
        _print_whatever_comes()
        try:
            code = super().main(known, *rest, **{**options, "standalone_mode": False})
        except typer.Abort:
            code = show(CommandError("aborted"))
        except (CommandError, StepError, OSError, TyperException) as error:
            if len(known) < len(given):
                traceback.print_exc()
            code = show(_wrong_use(error, known) if isinstance(error, TyperException) else error)
        sys.exit(code)


def show(error: CommandError | StepError | OSError) -> int:
    """Prints an error to standard error; its exit code."""
    output = console(sys.stderr)
    text = _about_file(error) if isinstance(error, OSError) else str(error)
    if text:
        output.print(styled("error: ", "bold red"), text, sep="")
    if isinstance(error, StepFailed):
        for line in error.lines[-LAST_LINES:]:
            output.print(f"  {line}", style="dim")
    return error.exit_code if isinstance(error, CommandError) else 1


def _print_whatever_comes() -> None:
    """Escapes what an encoding cannot write, and what a terminal would obey in a log."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    class Printable(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record), lines=True)

    if logging.lastResort:
        logging.lastResort.setFormatter(Printable())


def _about_file(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        place = f" at {error.filename}" if error.filename else ""
        return f"the disk is full{place}; free some space and try again"
    if not error.filename or not error.strerror:
        return str(error)
    path = Path(str(error.filename))
    if error.errno == errno.ENOENT and not path.parent.exists():
        return f"{path}: there is no folder {path.parent}; create it or choose another"
    return f"{path}: {error.strerror.lower()}; correct that or choose another path"


def _wrong_use(error: Any, given: Sequence[str]) -> UsageError:
    """What Typer found wrong, and the option that was probably meant."""
    text = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    if not text or not context:  # A group alone has shown its help.
        return UsageError(text)
    if option := getattr(error, "option_name", ""):
        near = difflib.get_close_matches(_bare(option), meant := _meant(context, option, given), 1)
        others = [name for name, own in _siblings(context) if option in _options(own)]
        hints = [f"did you mean {meant[name]}?" for name in near]
        if others and _bare(option) not in meant:
            hints = [f"it is an option of {', '.join(others)}"]
        text = "; ".join((f"No such option: {option}", *hints))
    path = context.command_path.partition(" ")[2]
    return UsageError(f"{text} (see `{command(f'{path} --help'.strip())}`)")


def _meant(context: Any, option: str, given: Sequence[str]) -> Mapping[str, str]:
    """What can be written in place of an option that does not exist, by bare names."""
    meant = {_bare(name): name for name in _options(context.command) if name.startswith("--")}
    if "parameter" not in meant:
        return meant
    from pipeline import compiler
    from pipeline.specs.parameters import SET_BY_COMMANDS, describe
    from pipeline.specs.spec import load

    with contextlib.suppress(UsageError):
        known = describe(load(compiler.COMPILED / compiler.PIPELINE))
        value = _value(option, given)
        own = {
            _bare(one.name): f"-p {shlex.quote(f'{one.name}={value}')}"
            for one in known
            if one.name not in SET_BY_COMMANDS
        }
        meant = {preset: f"--preset {preset}" for preset in PRESETS} | own | meant
    return meant


def _siblings(context: Any) -> list[tuple[str, Any]]:
    group = getattr(context.parent, "command", None)
    return list(getattr(group, "commands", {}).items())


def _options(command: Any) -> list[str]:
    return [name for parameter in command.params for name in parameter.opts]


def _bare(name: str) -> str:
    return name.lstrip("-").replace("_", "-")


def _value(option: str, given: Sequence[str]) -> str:
    """The value that was given to an option: ``--option=3`` or ``--option 3``."""
    for text, after in zip(given, [*given[1:], "-"], strict=True):
        name, equals, value = text.partition("=")
        if name == option:
            return value if equals else "VALUE" if after.startswith("-") else after
    return "VALUE"
