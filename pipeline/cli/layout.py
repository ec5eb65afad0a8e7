"""A table as lines that fit a terminal and lose nothing that names a row."""

import textwrap
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

GAP: Final = "  "
LONG: Final = 20
"""Characters of a cell for which a column is not widened where there is too little room."""
ROOM: Final = 60
"""Characters in a line of text that is easy to read."""

Row = Sequence[str]


def laid_out(
    columns: Row, rows: Sequence[Row], width: int | None = None, *, wraps: bool = False
) -> list[str]:
    """The lines of a table: the names of the columns, then the rows.

    Without a width, as in a pipe, each row is one line. In ``width`` characters, the last column
    is a text that wraps, or else the last columns are left out until the rest fits. All other
    cells are whole: the terminal wraps a line that is still too long.
    """
    table = [list(columns), *map(list, rows)]
    if wraps:
        return _with_text(table, width)
    while width is not None and len(table[0]) > 1 and _length(_widths(table)) > width:
        table = [row[:-1] for row in table]
    return [_line(row, _widths(table)) for row in table]


def _with_text(table: Sequence[Row], width: int | None) -> list[str]:
    before = [row[:-1] for row in table]
    widths = _widths(before)
    if width is None or width - _length(widths) < ROOM:
        short = [[cell if cell_len(cell) <= LONG else "" for cell in row] for row in before]
        widths = _widths(short)
    indent = _length(widths)
    lines = []
    for *cells, text in table:
        line = _line(cells, widths)
        parts = [text]
        if width is not None:
            room = max(width - indent - len(GAP), LONG)
            parts = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
            if cell_len(line) > indent:
                lines.append(line)
                line = ""
        for part in parts or [""]:
            lines.append(_line([line, part], [indent, 0]))
            line = ""
    return lines


def _widths(table: Sequence[Row]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*table, strict=True)]


def _length(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(row: Row, widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
    return GAP.join(cells).rstrip()
