"""The commands that follow, list and stop jobs."""

import sys
from typing import Any

from pipeline.cli import vertex_options as given
from pipeline.cli.console import AsJson, console, print_json, print_table, say, say_aside, waiting
from pipeline.errors import GateRefused
from pipeline.program import command


def watch(
    job: given.Job,
    project: given.Project = None,
    region: given.Region = None,
    every: given.Every = 5.0,
    require_upload: given.RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Follow a job until it ends; Ctrl-C leaves it running."""
    from pipeline.vertex import connection, jobs, sending, target

    own_project, own_region, job_id = jobs.named(job)
    place = target.resolve(own_project or project, own_region or region)
    client = connection.pipelines(place, sending.credentials(place))
    follow(client, place, job_id, every, require_upload, as_json)


def jobs(
    project: given.Project = None,
    region: given.Region = None,
    count: given.Count = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest jobs."""
    from pipeline.duration import duration
    from pipeline.vertex import connection, sending, target
    from pipeline.vertex import jobs as all_jobs
    from pipeline.vertex.progress import seconds

    place = target.resolve(project, region)
    with waiting(f"asking Vertex AI ({place})"):
        client = connection.pipelines(place, sending.credentials(place))
        found = all_jobs.newest(client, place, count)
    if as_json:
        print_json([all_jobs.as_json(job, place) for job in found])
        return
    if not found:
        say(f"no jobs ({place}): `{command(f'submit --bucket BUCKET {place.flags}')}` makes one")
        return
    rows = []
    for job in found:
        took = seconds(job.start_time, job.end_time)
        rows.append(
            (
                job.name.rsplit("/", 1)[1],
                all_jobs.state(job).lower(),
                f"{job.create_time:%Y-%m-%d %H:%M}",
                duration(took) if took else "",
            )
        )
    print_table(("Job", "State", "Created", "Time"), rows, whole="Job")


def cancel(
    job: given.Job,
    project: given.Project = None,
    region: given.Region = None,
    as_json: AsJson = False,
) -> None:
    """Stop a job; the steps that were done stay in the cache."""
    from pipeline.vertex import connection, sending, target, watching
    from pipeline.vertex import jobs as all_jobs

    own_project, own_region, job_id = all_jobs.named(job)
    place = target.resolve(own_project or project, own_region or region)
    with waiting(f"asking Vertex AI ({place})"):
        client = connection.pipelines(place, sending.credentials(place))
        before = all_jobs.cancel(client, place, job_id)
    if as_json:
        state = {} if before.end_time else {"state": "cancelling"}
        print_json(all_jobs.as_json(before, place) | state)
    elif before.end_time:
        say(f"{job_id} had ended already: {all_jobs.state(before).lower()}")
    else:
        say(f"{job_id} is being cancelled; `{watching.come_back(place, job_id)}` shows its end")


def follow(
    client: Any,
    place: Any,
    job_id: str,
    every: float,
    require_upload: bool,
    as_json: bool = False,
) -> None:
    """Shows a job until it ends, and ends as it did.

    Args:
        client: A ``PipelineServiceClient``.
        place: Project and region.
        job_id: The job.
        every: Seconds between two looks.
        require_upload: Whether an end without an uploaded version is an error.
        as_json: Print its end as JSON, and what happens until then to standard error.

    Raises:
        JobFailed: The job failed, was cancelled or was paused.
        GateRefused: No version was uploaded, and one was required.
        Interrupted: Ctrl-C; the job goes on.
    """
    from pipeline.cli.watchers import stopped_by_signals, watch_on
    from pipeline.vertex import outcome, watching

    goes_on = (
        f"{job_id} goes on; `{watching.come_back(place, job_id)}` follows it again, and "
        f"`{command(f'cancel {job_id} {place.flags}')}` stops it"
    )
    watch = watch_on(sys.stderr if as_json else sys.stdout)
    complain = say_aside if as_json else say
    with stopped_by_signals(goes_on):
        ended, tasks = watching.follow(client, place, job_id, watch, complain, every=every)
    if as_json:
        print_json(outcome.as_json(ended, tasks, place))
    outcome.check(ended, place)
    if not as_json:
        outcome.tell(ended, tasks, place, console())
    if require_upload and not outcome.uploaded(tasks):
        raise GateRefused("no version was uploaded, and --require-upload was given")
