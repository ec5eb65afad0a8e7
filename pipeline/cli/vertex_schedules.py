"""The commands for schedules: list, pause, resume, delete."""

from typing import Annotated, Any

import typer

from pipeline.cli.commands import Command, Group
from pipeline.cli.console import AsJson, print_json, print_table, say, waiting
from pipeline.cli.vertex_options import Project, Region
from pipeline.program import command

schedules = typer.Typer(
    cls=Group, help="List, pause, resume and delete schedules.", no_args_is_help=True
)
Reference = Annotated[str, typer.Argument(help="The schedule's number or name.")]


@schedules.command("list", cls=Command)
def list_command(project: Project = None, region: Region = None, as_json: AsJson = False) -> None:
    """List the schedules that start pipeline jobs."""
    from pipeline.vertex import schedules as all_schedules

    with waiting("asking Vertex AI"):
        place, client = _connect(project, region)
        found = all_schedules.listed(client, place)
    if as_json:
        print_json([all_schedules.as_json(one) for one in found])
    elif found:
        columns = ("Schedule", "Name", "State", "When", "Next run", "Runs")
        print_table(columns, [_row(one) for one in found])
    else:
        say(f"no schedules ({place}): `{command('submit --schedule CRON')}` makes one")


@schedules.command(cls=Command)
def pause(
    schedule: Reference, project: Project = None, region: Region = None, as_json: AsJson = False
) -> None:
    """Start no more jobs until it is resumed; a job that runs goes on."""
    _change(schedule, "pause", project, region, as_json)


@schedules.command(cls=Command)
def resume(
    schedule: Reference, project: Project = None, region: Region = None, as_json: AsJson = False
) -> None:
    """Start jobs again; those that were missed are not made up for."""
    _change(schedule, "resume", project, region, as_json)


@schedules.command(cls=Command)
def delete(
    schedule: Reference, project: Project = None, region: Region = None, as_json: AsJson = False
) -> None:
    """Delete a schedule; the jobs that it started stay."""
    _change(schedule, "delete", project, region, as_json)


def _row(one: Any) -> tuple[str, ...]:
    return (
        one.name.rsplit("/", 1)[1],
        one.display_name,
        one.state.name.lower(),
        one.cron,
        f"{one.next_run_time:%Y-%m-%d %H:%M}" if one.next_run_time else "",
        f"{one.started_run_count}" + (f" of {one.max_run_count}" if one.max_run_count else ""),
    )


def _change(
    reference: str, action: str, project: str | None, region: str | None, as_json: bool
) -> None:
    from pipeline.vertex.schedules import ACTIONS, STATES, change

    with waiting("asking Vertex AI"):
        place, client = _connect(project, region)
        number = change(client, place, reference, action)
    if as_json:
        print_json({"schedule": number, "state": STATES[action]})
    else:
        typer.echo(f"schedule {number}: {ACTIONS[action]}")


def _connect(project: str | None, region: str | None) -> tuple[Any, Any]:
    from pipeline.vertex import connection, sending, target

    place = target.resolve(project, region)
    return place, connection.schedules(place, sending.credentials(place))
