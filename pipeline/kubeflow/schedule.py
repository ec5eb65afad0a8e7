"""Schedules, which Kubeflow Pipelines calls recurring runs.

What asks the installation raises ``CloudError`` when it refuses or does not answer.
"""

from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.kubeflow import run as runs
from pipeline.kubeflow.calls import call
from pipeline.kubeflow.target import Target, page
from pipeline.specs import cron
from pipeline.text import command, iso

ACTIONS: Final = {"pause": "disable", "resume": "enable", "delete": "delete"}
STATES: Final = {"pause": "paused", "resume": "active", "delete": "deleted"}


def times(expression: str) -> str:
    """The times of a schedule as Kubeflow Pipelines takes them, with the seconds in front.

    Raises:
        UsageError: The expression is not valid there.
    """
    no_zone = "Kubeflow has one time zone for all schedules (CRON_SCHEDULE_TIMEZONE, else UTC)"
    fields = cron.fields(expression, time_zone=no_zone)
    if "7" in fields[4]:
        raise UsageError(f'--schedule "{expression}": write Sunday as 0 or SUN')
    return " ".join(("0", *fields))


def change(target: Target, reference: str, action: str) -> str:
    """Does an action of ``ACTIONS`` to a schedule, and returns its id.

    ``reference`` is its id, its name, or the address of its page.

    Raises:
        UsageError: None has that name, or several have.
    """
    identity = runs.address_in(reference)[1] or reference
    others = f"`{command(f'kubeflow schedules list {target.flags}')}` lists those that exist"
    if not runs.ID.fullmatch(identity):
        found = [one.recurring_run_id for one in runs.schedules(target, name=reference)]
        if not found:
            raise UsageError(f"there is no schedule {reference!r} ({target}); {others}")
        if len(found) > 1:
            raise UsageError(f"several schedules are called {reference}: give {', '.join(found)}")
        (identity,) = found
    call(
        *(target, f"recurring_run.{ACTIONS[action]}_recurring_run", f"{action} the schedule"),
        missing=f"there is no schedule {identity}; {others}",
        recurring_run_id=identity,
    )
    return identity


def as_json(schedule: Any, target: Target) -> dict[str, Any]:
    """A schedule as JSON values; times are UTC, ISO 8601."""
    trigger = schedule.trigger
    by_cron = getattr(trigger, "cron_schedule", None)
    period = getattr(trigger, "periodic_schedule", None)
    return {
        "schedule": schedule.recurring_run_id,
        "name": schedule.display_name,
        "state": {"ENABLED": "active", "DISABLED": "paused"}.get(schedule.status, "unknown"),
        "cron": by_cron.cron if by_cron else None,
        "every_seconds": int(period.interval_second) if period else None,
        "max_concurrency": int(schedule.max_concurrency or 1),
        "catch_up": not schedule.no_catchup,
        "created": iso(runs.moment(schedule.created_at)),
        "page": page(target, "recurringrun", schedule.recurring_run_id),
    }
