"""When a schedule runs: a cron expression of five fields and a time zone."""

import functools
import re
import zoneinfo
from typing import Final

from pipeline.errors import UsageError

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, DAYS),
)
PART: Final = re.compile(r"(\*|\w{1,4}(?:-\w{1,4})?)(?:/(\d{1,4}))?")


def cron(expression: str, time_zone: str) -> str:
    """The schedule as Vertex AI takes it: ``TZ=Europe/Berlin 0 6 * * 1``.

    Args:
        expression: Minute, hour, day of the month, month, day of the week.
        time_zone: Name in the IANA time zone database.

    Raises:
        UsageError: The expression is none, or there is no such zone.
    """
    if time_zone not in _zones():
        raise UsageError(f"--time-zone {time_zone}: there is none; give one as in Europe/Berlin")
    texts = expression.split()
    if len(texts) != len(FIELDS):
        raise UsageError(
            f'--schedule "{expression}": give five fields, minute, hour, day of the month, month '
            'and day of the week, as in "0 6 * * 1" (Mondays at six)'
        )
    for text, (name, low, high, names) in zip(texts, FIELDS, strict=True):
        if not all(_fits(part, low, high, names) for part in text.split(",")):
            raise UsageError(
                f'--schedule "{expression}": {text!r} is no {name}; it takes {low} to {high}'
            )
    return f"TZ={time_zone} {' '.join(texts)}"


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _fits(text: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    found = PART.fullmatch(text)
    if found is None or (found[2] is not None and int(found[2]) < 1):
        return False
    if found[1] == "*":
        return True
    numbers = [_number(end, low, names) for end in found[1].split("-")]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return low + names.index(text.upper())
    return int(text) if text.isdecimal() else -1
