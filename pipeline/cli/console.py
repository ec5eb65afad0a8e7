"""Where commands print: what you asked for on standard output, all else on standard error."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


def console(file: TextIO | None = None) -> Console:
    """A console that leaves long lines to the terminal to wrap."""
    return Console(file=file or sys.stdout, soft_wrap=True)


def say(text: str, file: TextIO | None = None) -> None:
    """Prints a line unchanged."""
    console(file).print(text, highlight=False, markup=False)


def say_aside(text: str) -> None:
    """Prints a line unchanged to standard error."""
    say(text, sys.stderr)


def print_json(value: Any) -> None:
    """Prints a value as one JSON document; types that JSON does not know become text."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(
    columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], whole: str | None = None
) -> None:
    """Prints rows of cells under column names.

    The column ``whole``, by default the first, is never wrapped, so that it can be copied.
    """
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name == (whole or columns[0]), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    output = Console()
    if not output.is_terminal:
        # A pipe has no width, and its reader wants whole lines.
        unlimited = output.options.update(width=10_000)
        output.width = max(output.width, output.measure(table, options=unlimited).maximum)
    output.print(table, highlight=False)


def print_list(
    as_json: bool,
    values: Sequence[Any],
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    nothing: str,
    whole: str | None = None,
    then: Mapping[str, str] | None = None,
) -> None:
    """Prints values as JSON, or as a table, or ``nothing`` if empty, with the next commands."""
    if as_json:
        print_json(values)
    elif not rows:
        say(nothing)
    else:
        print_table(columns, rows, whole)
        if then:
            next_steps(then)


def next_steps(commands: Mapping[str, str]) -> None:
    """Suggests commands on standard error: what each does, by the command."""
    output = console(sys.stderr)
    width = max(map(len, commands))
    output.print()
    for number, (command, does) in enumerate(commands.items()):
        line = f"{'' if number else 'Next':<10} {command:<{width}}  {does}"
        output.print(line, highlight=False, markup=False, style="dim")


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Shows on a terminal what the block is waiting for.

    It uses its own copy of standard error, because TensorFlow's start silences the original.
    """
    with os.fdopen(os.dup(2), "w") as file:
        output = Console(file=file)
        with output.status(text) if output.is_terminal else contextlib.nullcontext():
            yield
