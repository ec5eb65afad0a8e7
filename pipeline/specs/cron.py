"""When a schedule runs: five fields, checked before anything is sent."""

import contextlib
import datetime
import re
from typing import Final

from pipeline.errors import UsageError

FIELD: Final = re.compile(r"(?:[\d*/,-]|[A-Za-z]{3})+")
"""Numbers, and names of months and days; no L, W or #."""


def fields(expression: str, *, time_zone: str = "") -> list[str]:
    """The five fields of a schedule.

    ``time_zone`` is what to say of a time zone within the expression.

    Raises:
        UsageError: The expression is not valid, or there is no such day.
    """
    from cronsim import CronSim, CronSimError

    found = expression.split()
    try:
        if "TZ=" in expression:
            raise CronSimError(time_zone)
        if len(found) != 5 or not all(map(FIELD.fullmatch, found)):
            raise CronSimError("give five plain fields")
        CronSim(expression, datetime.datetime.now(tz=datetime.UTC))
    except (CronSimError, ValueError) as error:
        why = "no such day exists, so it never runs" if _is_day(error, found) else error
        raise UsageError(
            f'--schedule "{expression}": {why}; the fields are minute, hour, day of the month, '
            'month and day of the week, as in "0 6 * * 1" (Mondays at six)'
        ) from error
    return found


def _is_day(error: Exception, found: list[str]) -> bool:
    """Whether the day that an error is about is one of some other month."""
    from cronsim import CronSim, CronSimError

    if str(error) != "Bad day-of-month":
        return False
    with contextlib.suppress(CronSimError):
        CronSim(" ".join((*found[:3], "*", found[4])), datetime.datetime.now(tz=datetime.UTC))
        return True
    return False
