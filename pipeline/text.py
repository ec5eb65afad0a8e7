"""Times, texts, paths and commands as a person reads and types them."""

import datetime
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = "fashion-mnist"
UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal obeys or cannot show, except tabs and line feeds: control characters, the
controls of writing direction, and surrogates, as which Python reads bytes that are not UTF-8."""


def duration(seconds: float) -> str:
    """Seconds in words: ``0.4 s``, ``12 s``, ``3 min 05 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def age(moment: datetime.datetime | None) -> str:
    """How long ago a moment was, in one unit: ``12 s``, ``5 min``, ``3 h``, ``12 days``."""
    if moment is None:
        return ""
    seconds = (datetime.datetime.now(tz=datetime.UTC) - moment).total_seconds()
    for size, least, unit in ((86_400, 2, "days"), (3600, 1, "h"), (60, 1, "min")):
        if seconds >= size * least:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def accuracy(value: float | None) -> str:
    """An accuracy with four digits; empty if it is None."""
    return "" if value is None else f"{value:.4f}"


def iso(moment: datetime.datetime | None) -> str | None:
    """A moment as ISO 8601, to the second; None stays None."""
    return moment.isoformat(timespec="seconds") if moment else None


def printable(text: object, *, lines: bool = False) -> str:
    r"""A text with escapes for what a terminal obeys or cannot show: ``\x1b``, ``\xf6``.

    Line feeds are escaped too, unless it may have several ``lines``.
    """
    escaped = UNPRINTABLE.sub(_escaped, str(text))
    return escaped if lines else escaped.replace("\n", r"\n")


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # A byte that is not UTF-8.
        return f"\\x{code - 0xDC00:02x}"
    return match[0].encode("unicode_escape").decode()


def shown(path: Path) -> str:
    """A path as it is, or relative to the working directory, whichever is shorter."""
    return min(os.path.relpath(path), str(path), key=len)


def command(words: str) -> str:
    """A command of this project that can be pasted into a shell here.

    It begins with the program's name, or with its path if the shell does not find that name.
    """
    installed = Path(sys.executable).with_name(PROGRAM)
    found = shutil.which(PROGRAM)
    if not installed.is_file() or (found is not None and installed.samefile(found)):
        return f"{PROGRAM} {words}".rstrip()
    return f"{shlex.quote(shown(installed))} {words}".rstrip()
