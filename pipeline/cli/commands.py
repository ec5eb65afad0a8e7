"""How every command ends: one line that says what to do, and the right exit code."""

import traceback
from typing import Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from components.dataset.errors import StepError
from pipeline.cli.advice import advice
from pipeline.errors import CommandError, StepFailed

LAST_LINES: Final = 15
"""How much of a failed step's log is shown."""
VERBOSE: Final = "--verbose"


class PlainFlags:
    """Shows options that take no value without the type of one."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of a command."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False) and parameter.metavar is None:
                parameter.metavar = ""
        return parameters


class Command(PlainFlags, TyperCommand):
    """A command."""


class Group(PlainFlags, TyperGroup):
    """A command that has commands of its own."""


class Commands(Group):
    """The group of all commands.

    Exit codes: 0 done; 1 a step failed, or data, bucket or disk did; 2 wrong use; 3 the gate
    refused and an upload was required; 130 interrupted.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes ``--verbose`` from anywhere in the line."""
        ctx.meta[VERBOSE] = VERBOSE in args
        rest: list[str] = super().parse_args(ctx, [text for text in args if text != VERBOSE])
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Runs a command and turns what ends it early into a line and an exit code."""
        try:
            return super().invoke(ctx)
        except (CommandError, StepError, OSError) as error:
            if ctx.meta[VERBOSE]:
                traceback.print_exc()
            raise typer.Exit(show(error)) from error


def show(error: CommandError | StepError | OSError) -> int:
    """Says what ended a command.

    Returns:
        The exit code.
    """
    console = Console(stderr=True, soft_wrap=True)
    said = advice(error) if isinstance(error, OSError) else str(error)
    console.print(f"[bold red]error:[/] {escape(said)}", highlight=False)
    if isinstance(error, StepFailed):
        for line in error.lines[-LAST_LINES:]:
            console.print(f"  {line}", markup=False, highlight=False, style="dim")
    return error.exit_code if isinstance(error, CommandError) else 1
