"""The group of the commands for Kubeflow, and those for its schedules."""

from typing import Annotated, Any, Final

import typer

from pipeline.cli.commands import Command, Group
from pipeline.cli.console import print_json, print_list, say
from pipeline.cli.kubeflow_options import CaCert, CookieFile, Host, Namespace, TokenFile
from pipeline.cli.kubeflow_runs import asking, cancel, runs, watch
from pipeline.cli.kubeflow_submit import submit
from pipeline.cli.options import AsJson
from pipeline.text import command

Reference = Annotated[
    str, typer.Argument(metavar="SCHEDULE", help="The schedule's name, its id, or its page.")
]

kubeflow: Final = typer.Typer(cls=Group, no_args_is_help=True)
schedules: Final = typer.Typer(cls=Group, no_args_is_help=True)
for function in (submit, watch, runs, cancel):
    kubeflow.command(function.__name__, cls=Command)(function)
kubeflow.add_typer(schedules, name="schedules")


@kubeflow.callback()
def kubeflow_options() -> None:
    """Run the pipeline on a Kubeflow Pipelines installation, and follow it there.

    Examples:
        kubeflow submit --dry-run  # prints what would be sent, and needs no installation
        kubeflow submit --host http://localhost:8080 --wait  # a run, followed to its end
        kubeflow runs --host http://localhost:8080  # the newest runs
    """


@schedules.callback()
def schedules_options() -> None:
    """List, pause, resume and delete schedules (recurring runs).

    Examples:
        kubeflow schedules list  # all of them, with their names
        kubeflow schedules pause fashion-mnist-20261123-153000-ab12  # no more runs until `resume`
        kubeflow schedules delete fashion-mnist-20261123-153000-ab12 --json  # for a program
    """


@schedules.command("list", cls=Command)
def list_command(
    host: Host = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    cookie_file: CookieFile = None,
    ca_cert: CaCert = None,
    as_json: AsJson = False,
) -> None:
    """List the schedules."""
    from pipeline.kubeflow import run as all_runs
    from pipeline.kubeflow import schedule as all_schedules
    from pipeline.kubeflow.target import resolve

    target = resolve(host, namespace, token_file, cookie_file, ca_cert)
    with asking(target):
        found = [all_schedules.as_json(one, target) for one in all_runs.schedules(target)]
    rows = [
        (
            one["name"],
            one["state"],
            one["cron"] or f"every {one['every_seconds']} s",
            one["schedule"],
        )
        for one in found
    ]
    start = command(f"kubeflow submit --schedule CRON {target.flags}")
    nothing = f"no schedules ({target}): `{start}` makes one"
    columns = ("Schedule", "State", "When", "Id")
    print_list(as_json, found, columns, rows, nothing=nothing)


def _changing(action: str, about: str) -> None:
    """Adds the command that does something to a schedule."""

    def change(
        schedule: Reference,
        host: Host = None,
        namespace: Namespace = None,
        token_file: TokenFile = None,
        cookie_file: CookieFile = None,
        ca_cert: CaCert = None,
        as_json: AsJson = False,
    ) -> None:
        from pipeline.kubeflow import run as all_runs
        from pipeline.kubeflow import schedule as all_schedules
        from pipeline.kubeflow.target import resolve

        page = all_runs.address_in(schedule)[0]
        target = resolve(host, namespace, token_file, cookie_file, ca_cert, of_page=page)
        with asking(target):
            identity = all_schedules.change(target, schedule, action)
        values: dict[str, Any] = {"schedule": identity, "state": all_schedules.STATES[action]}
        if as_json:
            print_json(values)
        else:
            say(f"schedule {identity} is {values['state']}")

    schedules.command(action, cls=Command, help=about)(change)


_changing("pause", "Start no more runs until it is resumed; running runs continue.")
_changing("resume", "Start runs again; a schedule with --catch-up makes up for missed ones.")
_changing("delete", "Delete a schedule; the runs that it started stay.")
