"""What all commands share: examples in their help, one line for an error, an exit code."""

import errno
import traceback
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from components.dataset.errors import StepError
from pipeline.errors import CommandError, StepFailed
from pipeline.text import command

LAST_LINES: Final = 15
VERBOSE: Final = "--verbose"
EXAMPLES: Final = "\nExamples:\n"
"""Begins the part of a docstring that the help shows at its end: ``arguments  # what it does``."""


class Documented:
    """Shows examples at the end of the help, and flags without the type of a value."""

    def __init__(self, *arguments: Any, help: str | None = None, **options: Any) -> None:  # noqa: A002
        about, _, examples = (help or "").partition(EXAMPLES)
        if examples:
            options["epilog"] = _markdown(examples)
        super().__init__(*arguments, help=about.strip(), **options)  # type: ignore[call-arg]

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of a command."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False) and parameter.metavar is None:
                parameter.metavar = ""
        return parameters


class Command(Documented, TyperCommand):
    """A command."""


class Group(Documented, TyperGroup):
    """A command with subcommands."""


class Commands(Group):
    """The group of all commands; see ``pipeline.errors`` for the exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accepts ``--verbose`` anywhere in the line."""
        ctx.meta[VERBOSE] = VERBOSE in args
        rest: list[str] = super().parse_args(ctx, [text for text in args if text != VERBOSE])
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Runs a command and turns an error into a line and an exit code."""
        try:
            return super().invoke(ctx)
        except (CommandError, StepError, OSError) as error:
            if ctx.meta[VERBOSE]:
                traceback.print_exc()
            raise typer.Exit(show(error)) from error


def show(error: CommandError | StepError | OSError) -> int:
    """Prints an error to standard error; its exit code."""
    console = Console(stderr=True, soft_wrap=True)
    text = _about_file(error) if isinstance(error, OSError) else str(error)
    console.print(f"[bold red]error:[/] {escape(text)}", highlight=False)
    if isinstance(error, StepFailed):
        for line in error.lines[-LAST_LINES:]:
            console.print(f"  {line}", markup=False, highlight=False, style="dim")
    return error.exit_code if isinstance(error, CommandError) else 1


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


def _markdown(examples: str) -> str:
    lines = ["**Examples**"]
    for line in examples.strip().splitlines():
        arguments, _, does = line.partition("  # ")
        lines.append(f"- `{command(arguments.strip())}`: {does.strip()}")
    return "\n\n".join(lines)
