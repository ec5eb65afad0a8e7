"""Where commands print: what you asked for on standard output, all else on standard error."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pipeline.cli.layout import laid_out
from pipeline.text import UNPRINTABLE, printable


class Output(Console):
    """A console that shows texts as they are, with escapes for what a terminal would obey.

    Square brackets are no markup, ``:100:`` is no emoji, and a number has no colour of its own.
    """

    def __init__(self, file: TextIO | None = None, **options: Any) -> None:
        super().__init__(
            file=file or sys.stdout, emoji=False, markup=False, highlight=False, **options
        )

    def render_str(self, text: str, *, style: Any = "", **_: Any) -> Text:
        """The text that is shown for a string."""
        return styled(text, style)

    def on_broken_pipe(self) -> NoReturn:
        """Ends the command without a word: its reader, as ``head``, has what it wanted."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        raise SystemExit(1)


def is_plain(console: Console) -> bool:
    """Whether a console's encoding has letters, but neither marks nor blocks."""
    return not console.encoding.startswith("utf")


def styled(text: str, style: Any = "") -> Text:
    """A text in a style, as ``Output`` shows it."""
    return Text(printable(text, lines=True), style=style)


def console(file: TextIO | None = None) -> Output:
    """A console that leaves long lines to the terminal to wrap."""
    return Output(file, soft_wrap=True)


def say(text: str, file: TextIO | None = None) -> None:
    """Prints a line."""
    console(file).print(text)


def say_aside(text: str) -> None:
    """Prints a line to standard error."""
    say(text, sys.stderr)


def print_json(value: Any) -> None:
    """Prints a value as one JSON document; types that JSON does not know become text.

    A path that is not UTF-8 is read back as Python's text for it.
    """
    output = console()
    text = json.dumps(value, indent=2, ensure_ascii=is_plain(output), default=str)
    output.out(UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text), highlight=False)


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, wraps: bool = False
) -> None:
    """Prints rows of cells under column names; see ``layout.laid_out``."""
    output = console()
    cells = [[printable(cell) for cell in row] for row in rows]
    width = output.width if output.is_terminal else None
    header, *lines = laid_out(columns, cells, width, wraps=wraps)
    output.print(header, style="bold")
    for line in lines:
        output.print(line)


def print_list(
    as_json: bool,
    values: Sequence[Any],
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    nothing: str,
    wraps: bool = False,
    then: Mapping[str, str] | None = None,
) -> None:
    """Prints values as JSON, or as a table, or ``nothing`` if empty, with the next commands."""
    if as_json:
        print_json(values)
    elif not rows:
        say(nothing)
    else:
        print_table(columns, rows, wraps=wraps)
        if then:
            next_steps(then)


def next_steps(commands: Mapping[str, str]) -> None:
    """Suggests commands on standard error: what each does, by the command."""
    output = console(sys.stderr)
    width = max(map(len, commands))
    output.print()
    for number, (command, does) in enumerate(commands.items()):
        line = f"{'' if number else 'Next':<10} {command:<{width}}  {does}"
        output.print(line, style="dim")


@contextlib.contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[], None]]:
    """Shows on a terminal how many of ``total`` things are done; gives what counts one.

    As ``waiting``, it uses its own copy of standard error.
    """
    with os.fdopen(os.dup(2), "w", errors="backslashreplace") as file:
        output = Output(file)
        spinner = "line" if is_plain(output) else "dots"
        columns: list[ProgressColumn] = [SpinnerColumn(spinner)]
        columns.append(TextColumn("{task.description}", markup=False))
        if total > 1:
            columns += [MofNCompleteColumn(), BarColumn(), TimeRemainingColumn()]
        bar = Progress(*columns, console=output, transient=True, disable=not output.is_terminal)
        with bar:
            task = bar.add_task(printable(text), total=total)
            yield lambda: bar.advance(task)


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Shows on a terminal what the block is waiting for.

    It uses its own copy of standard error, because TensorFlow's start silences the original.
    """
    with os.fdopen(os.dup(2), "w", errors="backslashreplace") as file:
        output = Output(file)
        spinner = "line" if is_plain(output) else "dots"
        status = output.status(styled(text), spinner=spinner)
        with status if output.is_terminal else contextlib.nullcontext():
            yield
