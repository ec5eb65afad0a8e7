"""Schedules: when they run, and how to create, list, pause, resume and delete them.

What asks the service raises ``CloudError`` when it refuses or does not answer.
"""

from typing import Any, Final

from pipeline.errors import CommandError, UsageError
from pipeline.specs.cron import fields
from pipeline.text import command, iso
from pipeline.vertex import target as targets
from pipeline.vertex.job import id_of
from pipeline.vertex.refusals import call, explained
from pipeline.vertex.target import Target, patient

STATES: Final = {"pause": "paused", "resume": "active", "delete": "deleted"}
OF_A_MACHINE: Final = frozenset({"localtime", "Factory"})
"""What Linux lists among the time zones and nobody else knows."""


def cron(expression: str, time_zone: str | None) -> str:
    """The times of a schedule as Vertex AI takes them: ``TZ=Europe/Berlin 0 6 * * 1``.

    Without a time zone they are UTC.

    Raises:
        UsageError: The expression or the time zone is not valid.
    """
    import zoneinfo

    time_zone = "Etc/UTC" if time_zone is None else time_zone
    if time_zone not in zoneinfo.available_timezones() - OF_A_MACHINE:
        raise UsageError(f"--time-zone {time_zone!r}: there is none; give one as in Europe/Berlin")
    found = fields(expression, time_zone="give the time zone with --time-zone")
    return f"TZ={time_zone} {' '.join(found)}"


def create(target: Target, request: Any) -> Any:
    """Creates the schedule of a ``CreateScheduleRequest``.

    The request is sent once: a second schedule would run everything twice.
    """
    look = f"`{command(f'schedules list {target.flags}')}` shows whether it exists nevertheless"
    doing = f"create the schedule; {look}"
    return call(target, "Schedule", "create_schedule", doing, None, request=request)


def listed(target: Target) -> list[Any]:
    """The schedules that start pipeline jobs, the newest first."""
    request = {"parent": target.parent, "order_by": "create_time desc"}
    doing = "list the schedules"
    with explained(doing, target):
        pages = call(target, "Schedule", "list_schedules", doing, patient(), request=request)
        return [schedule for schedule in pages if "create_pipeline_job_request" in schedule]


def change(target: Target, reference: str, action: str) -> str:
    """Does an action of ``STATES`` to a schedule, and returns its number.

    ``reference`` is its number or its display name.

    Raises:
        UsageError: None has that display name.
        CommandError: Several have it.
    """
    others = f"`{command(f'schedules list {target.flags}')}` lists those that exist"
    if reference.isdecimal():
        numbers = [reference]
    else:
        numbers = [id_of(one) for one in listed(target) if one.display_name == reference]
    if not numbers:
        raise UsageError(f"there is no schedule {reference!r} ({target}); {others}")
    if len(numbers) > 1:
        raise CommandError(f"several schedules are called {reference}: give {', '.join(numbers)}")
    doing, retry = f"{action} the schedule", None if action == "delete" else patient()
    with explained(doing, target):
        operation = call(
            *(target, "Schedule", f"{action}_schedule", doing, retry),
            missing=f"there is no schedule {numbers[0]}; {others}",
            name=f"{target.parent}/schedules/{numbers[0]}",
        )
        if action == "delete":
            operation.result(timeout=targets.SECONDS)
    return numbers[0]


def as_json(schedule: Any) -> dict[str, Any]:
    """A schedule as JSON values; times are UTC, ISO 8601."""
    return {
        "schedule": id_of(schedule),
        "name": schedule.name,
        "display_name": schedule.display_name,
        "state": schedule.state.name.lower(),
        "cron": schedule.cron,
        "next_run": iso(schedule.next_run_time),
        "runs": schedule.started_run_count,
        "max_runs": schedule.max_run_count or None,
    }
