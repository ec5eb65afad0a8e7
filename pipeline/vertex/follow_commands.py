"""The commands that follow, list and stop jobs."""

import sys
from typing import Any

from rich.console import Console

from pipeline.errors import GateRefused
from pipeline.vertex import options as given


def watch(
    job: given.Job,
    project: given.Project = None,
    region: given.Region = None,
    every: given.Every = 5.0,
    require_upload: given.RequireUpload = False,
) -> None:
    """Follow a job until it ends; Ctrl-C leaves it running."""
    from pipeline.vertex import connection, jobs, sending, target

    own_project, own_region, job_id = jobs.named(job)
    place = target.resolve(own_project or project, own_region or region)
    client = connection.pipelines(place, sending.credentials(place))
    follow(client, place, job_id, every, require_upload)


def jobs(
    project: given.Project = None,
    region: given.Region = None,
    count: given.Count = 20,
) -> None:
    """List the newest jobs."""
    from rich.table import Table

    from pipeline.duration import duration
    from pipeline.vertex import connection, sending, target, watching
    from pipeline.vertex import jobs as all_jobs
    from pipeline.vertex.progress import seconds

    place = target.resolve(project, region)
    client = connection.pipelines(place, sending.credentials(place))
    table = Table("Job", "State", "Created", "Time", box=None, pad_edge=False)
    found = all_jobs.newest(client, place, count)
    for job in found:
        took = seconds(job.start_time, job.end_time)
        table.add_row(
            job.name.rsplit("/", 1)[1],
            watching.state(job).lower(),
            f"{job.create_time:%Y-%m-%d %H:%M}",
            duration(took) if took else "",
        )
    _console().print(table if found else f"no jobs ({place})", highlight=False)


def cancel(
    job: given.Job,
    project: given.Project = None,
    region: given.Region = None,
) -> None:
    """Stop a job; the steps that were done stay in the cache."""
    from pipeline.vertex import connection, sending, target, watching
    from pipeline.vertex import jobs as all_jobs

    own_project, own_region, job_id = all_jobs.named(job)
    place = target.resolve(own_project or project, own_region or region)
    client = connection.pipelines(place, sending.credentials(place))
    before = all_jobs.cancel(client, place, job_id)
    if before.end_time:
        say(f"{job_id} had ended already: {watching.state(before).lower()}")
    else:
        say(f"{job_id} is being cancelled; `{watching.come_back(place, job_id)}` shows its end")


def follow(client: Any, place: Any, job_id: str, every: float, require_upload: bool) -> None:
    """Shows a job until it ends, and ends as it did.

    Raises:
        JobFailed: The job failed, was cancelled or was paused.
        GateRefused: No version was uploaded, and one was required.
        Interrupted: Ctrl-C; the job goes on.
    """
    from pipeline.vertex import outcome, watching
    from pipeline.watchers import stopped_by_signals
    from pipeline.watchers import watch as watched

    goes_on = (
        f"{job_id} goes on; `{watching.come_back(place, job_id)}` follows it again, and "
        f"`fashion-mnist cancel {job_id} {place.flags}` stops it"
    )
    with stopped_by_signals(goes_on):
        ended, tasks = watching.follow(client, place, job_id, watched, say, every=every)
    outcome.check(ended, place)
    outcome.tell(ended, tasks, place, _console())
    if require_upload and not outcome.uploaded(tasks):
        raise GateRefused("no version was uploaded, and --require-upload was given")


def say(text: str, file: Any = None) -> None:
    """Prints a line as it is."""
    _console(file).print(text, highlight=False, markup=False)


def _console(file: Any = None) -> Console:
    return Console(file=file or sys.stdout, soft_wrap=True)
