"""Where commands print: what was asked for on standard output, all else on standard error."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON to standard output, and nothing else there.")
]


def console(file: TextIO | None = None) -> Console:
    """A console that breaks no line where it is not one of a terminal."""
    return Console(file=file or sys.stdout, soft_wrap=True)


def say(text: str, file: TextIO | None = None) -> None:
    """Prints a line as it is."""
    console(file).print(text, highlight=False, markup=False)


def say_aside(text: str) -> None:
    """Prints a line as it is to standard error."""
    say(text, sys.stderr)


def print_json(value: Any) -> None:
    """Prints a value as one JSON document; what JSON does not know becomes text."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], whole: str = "") -> None:
    """Prints rows below the names of their columns, whatever is in them.

    Args:
        columns: The names.
        rows: As many cells each.
        whole: Name of the column that is never broken, so that it can be copied.
    """
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name == whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    own = console()
    if not own.is_terminal:
        # A pipe has no width, and whoever reads from it wants whole lines.
        own.width = max(
            own.width, own.measure(table, options=own.options.update(width=10_000)).maximum
        )
    own.print(table, highlight=False)


def next_steps(commands: Mapping[str, str]) -> None:
    """Prints to standard error what one may do now: what a command does, by the command."""
    own = console(sys.stderr)
    width = max(map(len, commands))
    own.print()
    for number, (command, does) in enumerate(commands.items()):
        line = f"{'' if number else 'Next':<10} {command:<{width}}  {does}"
        own.print(line, highlight=False, markup=False, style="dim")


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Shows on a terminal, while the block lasts, what is waited for.

    It has a standard error of its own, since TensorFlow's start silences the other.
    """
    with os.fdopen(os.dup(2), "w") as file:
        own = Console(file=file)
        with own.status(text) if own.is_terminal else contextlib.nullcontext():
            yield
