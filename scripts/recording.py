"""What a command shows on a terminal while it runs."""

import dataclasses
import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyte

DIM: Final = (b"\x1b[2m", b"\x1b[90m")
"""The emulator knows no faint text; gray is what it looks like."""


@dataclasses.dataclass(frozen=True)
class Span:
    """Characters of one style beside each other; ``column`` is that of the first, from 0."""

    column: int
    text: str
    color: str
    bold: bool


Row = tuple[Span, ...]


@dataclasses.dataclass(frozen=True)
class Frame:
    """The screen from ``seconds`` after the start on, a row for each line."""

    seconds: float
    rows: tuple[Row, ...]


def record(
    command: Sequence[str], columns: int, lines: int, cwd: Path, environment: Mapping[str, str]
) -> list[Frame]:
    """Runs a command on a terminal of its own and keeps each state of the screen.

    Raises:
        CalledProcessError: The command failed; ``output`` is the last screen.
    """
    screen = pyte.Screen(columns, lines)
    stream = pyte.ByteStream(screen)
    own, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    size = {"COLUMNS": str(columns), "LINES": str(lines), "TERM": "xterm-256color"}
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - the caller's command
        command, stdin=its, stdout=its, stderr=its, cwd=cwd, env={**environment, **size}
    )
    os.close(its)
    frames = [Frame(0.0, rows_of(screen))]
    while output := _read(own):
        stream.feed(output.replace(*DIM))
        rows = rows_of(screen)
        if rows != frames[-1].rows:
            frames.append(Frame(time.monotonic() - started, rows))
    os.close(own)
    if process.wait():
        raise subprocess.CalledProcessError(
            process.returncode, list(command), "\n".join(screen.display)
        )
    return frames


def _read(terminal: int) -> bytes:
    # Linux answers with an error when the other end of a terminal is closed.
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def rows_of(screen: Any) -> tuple[Row, ...]:
    """The rows of the emulator's screen, without the empty ones at its end."""
    rows = [tuple(_spans(screen.buffer[line], screen.columns)) for line in range(screen.lines)]
    while rows and not rows[-1]:
        rows.pop()
    return tuple(rows)


def _spans(line: Mapping[int, Any], columns: int) -> list[Span]:
    spans: list[Span] = []
    for column in range(columns):
        character = line[column]
        style = (character.fg, character.bold)
        last = spans[-1] if spans else None
        if last and (last.color, last.bold) == style and last.column + len(last.text) == column:
            spans[-1] = dataclasses.replace(last, text=last.text + character.data)
        else:
            spans.append(Span(column, character.data, *style))
    trimmed = [
        dataclasses.replace(
            span,
            column=span.column + len(span.text) - len(span.text.lstrip()),
            text=span.text.strip(),
        )
        for span in spans
    ]
    return [span for span in trimmed if span.text]
