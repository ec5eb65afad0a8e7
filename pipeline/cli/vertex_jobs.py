"""The commands that follow, list and stop jobs, and those for schedules."""

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.commands import Command, Group
from pipeline.cli.console import console, print_json, print_list, say, say_aside, waiting
from pipeline.cli.options import AsJson, Count, Every, Project, Region, RequireUpload
from pipeline.errors import GateRefused
from pipeline.text import command, duration
from pipeline.vertex import job as all_jobs
from pipeline.vertex import schedule as all_schedules
from pipeline.vertex.target import CONSOLE, Target, located, resolve

if TYPE_CHECKING:
    from pipeline.runs.record import Run

BROWSER: Final = "https://storage.cloud.google.com"
"""Shows an object to people who are signed in and may read it."""

Job = Annotated[str, typer.Argument(help="The job's id, its full name, or its page.")]
Reference = Annotated[
    str, typer.Argument(help="The schedule's number, its name, its full name, or its page.")
]

schedules = typer.Typer(cls=Group, no_args_is_help=True)


def watch(
    job: Job,
    project: Project = None,
    region: Region = None,
    every: Every = 5.0,
    require_upload: RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Follow a job until it ends; Ctrl-C leaves it running.

    Examples:
        watch fashion-mnist-20261123-153000-ab12  # its steps until it ends
        watch fashion-mnist-20261123-153000-ab12 --json  # its result, for a program
    """
    target, job_id = all_jobs.named(job, project, region)
    follow(target, job_id, every, require_upload=require_upload, as_json=as_json)


def jobs(
    project: Project = None, region: Region = None, count: Count = 20, as_json: AsJson = False
) -> None:
    """List the newest jobs.

    Examples:
        jobs  # the newest 20
        jobs --count 5 --json  # the newest five, for a program
    """
    target = resolve(project, region)
    with _asking(target):
        found = all_jobs.newest(target, count)
    rows = [
        (
            all_jobs.id_of(job),
            all_jobs.state(job),
            f"{job.create_time:%Y-%m-%d %H:%M}",
            duration(all_jobs.seconds(job)) if job.start_time else "",
        )
        for job in found
    ]
    start = command(f"submit --bucket BUCKET {target.flags}")
    print_list(
        as_json,
        [all_jobs.as_json(job, target) for job in found],
        ("Job", "State", "Created", "Time"),
        rows,
        nothing=f"no jobs ({target}): `{start}` makes one",
    )


def cancel(
    job: Job, project: Project = None, region: Region = None, as_json: AsJson = False
) -> None:
    """Stop a job; finished steps stay in the cache.

    Examples:
        cancel fashion-mnist-20261123-153000-ab12  # stops its running steps
        cancel fashion-mnist-20261123-153000-ab12 --json  # the same, and the job for a program
    """
    target, job_id = all_jobs.named(job, project, region)
    with _asking(target):
        before = all_jobs.cancel(target, job_id)
    if as_json:
        state = {} if before.end_time else {"state": "cancelling"}
        print_json(all_jobs.as_json(before, target) | state)
    elif before.end_time:
        say(f"{job_id} had ended already: {all_jobs.state(before)}")
    else:
        again = all_jobs.watch_command(target, job_id)
        say(f"{job_id} is being cancelled; `{again}` shows its end")


def follow(
    target: Target, job_id: str, every: float, *, require_upload: bool, as_json: bool
) -> None:
    """Shows a job until it ends, and ends as it did; Ctrl-C leaves the job running."""
    from pipeline.cli.watchers import show_result, stopped_by_signals, watch_on
    from pipeline.vertex import follow as following

    stopped = (
        f"you stopped watching; {job_id} is still running: "
        f"`{all_jobs.watch_command(target, job_id)}` follows it again, "
        f"`{command(f'cancel {job_id} {target.flags}')}` stops it"
    )
    watch = watch_on(sys.stderr if as_json else sys.stdout)
    with stopped_by_signals(stopped):
        job, run = following.follow(target, job_id, watch, say_aside if as_json else say, every)
    report = run.steps["evaluate"].outputs.get("report") if "evaluate" in run.steps else None
    address = report.uri if report else ""
    if as_json:
        print_json(
            {
                **all_jobs.as_json(job, target),
                "errors": following.failures(job, target),
                "metrics": run.metrics,
                "verdict": {"passed": run.passed, "reason": run.reason},
                "model": run.resource_name,
                "report": address,
                "steps": [task.as_json() for task in run.steps.values()],
            }
        )
    following.check(job, target)
    if not as_json:
        places = {"Model": _model(run, target) or "not uploaded"}
        if address:
            places["Report"] = address.replace("gs:/", BROWSER, 1)
        show_result(run, console(), {**places, "Page": all_jobs.page(target, run.id)})
    if require_upload and not run.version:
        raise GateRefused("no version was uploaded, and --require-upload was given")


def _model(run: "Run", target: Target) -> str:
    """The name of a run's model, and its page; empty without one."""
    if not run.resource_name:
        return ""
    number = run.resource_name.partition("@")[0].rsplit("/", 1)[-1]
    address = f"{CONSOLE}/vertex-ai/locations/{target.region}/models/{number}/versions"
    link = f"{address}/{run.version or 1}?project={target.project}"
    return f"{run.resource_name}\n{'':<10} {link}"


def _asking(target: Target) -> contextlib.AbstractContextManager[None]:
    return waiting(f"asking Vertex AI ({target})")


@schedules.callback()
def schedules_options() -> None:
    """List, pause, resume and delete schedules.

    Examples:
        schedules list  # all of them, with their numbers
        schedules pause 4711  # no more jobs, until `schedules resume 4711`
        schedules delete 4711 --json  # the result, for a program
    """


@schedules.command("list", cls=Command)
def list_command(project: Project = None, region: Region = None, as_json: AsJson = False) -> None:
    """List the schedules that start pipeline jobs."""
    target = resolve(project, region)
    with _asking(target):
        found = [all_schedules.as_json(one) for one in all_schedules.listed(target)]
    columns = ("Schedule", "Name", "State", "When", "Next run", "Runs")
    nothing = f"no schedules ({target}): `{command('submit --schedule CRON')}` makes one"
    print_list(as_json, found, columns, [_row(one) for one in found], nothing=nothing)


def _row(schedule: dict[str, Any]) -> tuple[str, ...]:
    most = f" of {schedule['max_runs']}" if schedule["max_runs"] else ""
    upcoming = (schedule["next_run"] or "")[:16].replace("T", " ")
    names = (schedule[name] for name in ("schedule", "display_name", "state", "cron"))
    return (*names, upcoming, f"{schedule['runs']}{most}")


def _changing(action: str, about: str) -> None:
    """Adds the command that does something to a schedule."""

    def change(
        schedule: Reference,
        project: Project = None,
        region: Region = None,
        as_json: AsJson = False,
    ) -> None:
        target, reference = located(schedule, "schedules", project, region)
        with _asking(target):
            number = all_schedules.change(target, reference, action)
        state = all_schedules.STATES[action]
        if as_json:
            print_json({"schedule": number, "state": state})
        else:
            say(f"schedule {number} is {state}")

    schedules.command(action, cls=Command, help=about)(change)


_changing("pause", "Start no more jobs until it is resumed; running jobs continue.")
_changing("resume", "Start jobs again; missed runs are not caught up.")
_changing("delete", "Delete a schedule; the jobs that it started stay.")
