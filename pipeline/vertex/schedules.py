"""Schedules: their names, all of them, and what can be done to one."""

import re
from typing import Any, Final

from pipeline.errors import CommandError, UsageError
from pipeline.program import command
from pipeline.vertex.connection import SECONDS, patient
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target

NUMBER: Final = re.compile(r"(?:projects/[^/]+/locations/[^/]+/schedules/)?(\d+)")
ACTIONS: Final = {"pause": "paused", "resume": "goes on", "delete": "deleted"}
STATES: Final = {"pause": "paused", "resume": "active", "delete": "deleted"}
"""What a schedule is after each of them, in the words of the list."""


def create(client: Any, target: Target, request: Any) -> Any:
    """Creates a schedule; it is asked for once, since a second one would run everything twice.

    Raises:
        CloudError: It was refused, or no answer came.
    """
    with explained(
        f"create the schedule; `{command(f'schedules list {target.flags}')}` shows whether it "
        "is there all the same",
        target,
    ):
        return client.create_schedule(request, timeout=SECONDS)


def listed(client: Any, target: Target) -> list[Any]:
    """The schedules that start this kind of job, the newest first.

    Raises:
        CloudError: They cannot be read.
    """
    request = {"parent": target.parent, "order_by": "create_time desc"}
    with explained("list the schedules", target):
        pages = client.list_schedules(request, timeout=SECONDS, retry=patient())
        return [schedule for schedule in pages if "create_pipeline_job_request" in schedule]


def as_json(schedule: Any) -> dict[str, Any]:
    """What a list says of a schedule, as JSON values; times are UTC, ISO 8601."""
    upcoming = schedule.next_run_time
    return {
        "schedule": schedule.name.rsplit("/", 1)[1],
        "name": schedule.name,
        "display_name": schedule.display_name,
        "state": schedule.state.name.lower(),
        "cron": schedule.cron,
        "next_run": upcoming.isoformat(timespec="seconds") if upcoming else None,
        "runs": schedule.started_run_count,
        "max_runs": schedule.max_run_count or None,
    }


def change(client: Any, target: Target, reference: str, action: str) -> str:
    """Pauses, resumes or deletes a schedule.

    Args:
        client: A ``ScheduleServiceClient``.
        target: Project and region.
        reference: The schedule's number, its full name or its display name.
        action: One of ``ACTIONS``.

    Returns:
        The schedule's number.

    Raises:
        CloudError: There is none of that name, or it was refused.
    """
    number = _number(client, target, reference)
    name = f"{target.parent}/schedules/{number}"
    missing = f"there is no schedule {number}; `{command(f'schedules list {target.flags}')}`"
    with explained(f"{action} the schedule", target, missing=f"{missing} lists those there are"):
        if action == "delete":
            client.delete_schedule(name=name, timeout=SECONDS).result(timeout=SECONDS)
        elif action == "resume":
            client.resume_schedule(name=name, timeout=SECONDS, retry=patient())
        else:
            client.pause_schedule(name=name, timeout=SECONDS, retry=patient())
    return number


def _number(client: Any, target: Target, reference: str) -> str:
    if found := NUMBER.fullmatch(reference):
        return found[1]
    schedules = [one for one in listed(client, target) if one.display_name == reference]
    if len(schedules) > 1:
        numbers = ", ".join(one.name.rsplit("/", 1)[1] for one in schedules)
        raise CommandError(f"{len(schedules)} schedules are called {reference}: give {numbers}")
    if not schedules:
        raise UsageError(
            f"there is no schedule {reference!r} ({target}); "
            f"`{command(f'schedules list {target.flags}')}` lists those there are"
        )
    number: str = schedules[0].name.rsplit("/", 1)[1]
    return number
