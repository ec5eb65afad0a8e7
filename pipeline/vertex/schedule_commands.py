"""The commands for schedules: list, pause, resume, delete."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from pipeline.vertex.options import Project, Region

schedules = typer.Typer(help="List, pause, resume and delete schedules.", no_args_is_help=True)
Reference = Annotated[str, typer.Argument(help="The schedule's number or name.")]


@schedules.command("list")
def list_command(project: Project = None, region: Region = None) -> None:
    """List the schedules that start pipeline jobs."""
    from rich.table import Table

    from pipeline.vertex import schedules as all_schedules

    place, client = _connect(project, region)
    found = all_schedules.listed(client, place)
    table = Table("Schedule", "Name", "State", "When", "Next run", "Runs", box=None, pad_edge=False)
    for one in found:
        table.add_row(
            one.name.rsplit("/", 1)[1],
            one.display_name,
            one.state.name.lower(),
            one.cron,
            f"{one.next_run_time:%Y-%m-%d %H:%M}" if one.next_run_time else "",
            f"{one.started_run_count}" + (f" of {one.max_run_count}" if one.max_run_count else ""),
        )
    console = Console(file=sys.stdout, soft_wrap=True)
    console.print(table if found else f"no schedules ({place})", highlight=False)


@schedules.command()
def pause(schedule: Reference, project: Project = None, region: Region = None) -> None:
    """Start no more jobs until it is resumed; a job that runs goes on."""
    _change(schedule, "pause", project, region)


@schedules.command()
def resume(schedule: Reference, project: Project = None, region: Region = None) -> None:
    """Start jobs again; those that were missed are not made up for."""
    _change(schedule, "resume", project, region)


@schedules.command()
def delete(schedule: Reference, project: Project = None, region: Region = None) -> None:
    """Delete a schedule; the jobs that it started stay."""
    _change(schedule, "delete", project, region)


def _change(reference: str, action: str, project: str | None, region: str | None) -> None:
    from pipeline.vertex.schedules import ACTIONS, change

    place, client = _connect(project, region)
    number = change(client, place, reference, action)
    typer.echo(f"schedule {number}: {ACTIONS[action]}")


def _connect(project: str | None, region: str | None) -> tuple[Any, Any]:
    from pipeline.vertex import connection, sending, target

    place = target.resolve(project, region)
    return place, connection.schedules(place, sending.credentials(place))
