"""The commands for Vertex AI: submit, watch, jobs, cancel."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipeline.errors import GateRefused, UsageError
from pipeline.vertex.options import Every, Project, Region, RequireUpload


def submit(
    bucket: Annotated[
        str, typer.Option(help="Bucket of the data, the runs and the models; in the region.")
    ],
    project: Project = None,
    region: Region = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A pipeline parameter."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the four raw files are: http(s):// or gs://.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Hyperparameters to start from: tutorial, fast or best; -p wins."),
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="Compiled pipeline, instead of the committed one.")
    ] = None,
    image: Annotated[
        str, typer.Option(help="Image that holds the dependencies, as URI@sha256:…")
    ] = "",
    accelerator: Annotated[
        str | None, typer.Option(metavar="TYPE[:N]", help="For the training, as NVIDIA_L4:1.")
    ] = None,
    machine_type: Annotated[
        str | None, typer.Option(help="For the training, as n1-standard-8.")
    ] = None,
    replicas: Annotated[int | None, typer.Option(help="Machines that share the training.")] = None,
    spot: Annotated[
        bool, typer.Option("--spot", help="Train on spot machines, and start again when taken.")
    ] = False,
    service_account: Annotated[
        str, typer.Option(help="What the steps run as; else Compute Engine's default account.")
    ] = "",
    network: Annotated[
        str, typer.Option(help="projects/NUMBER/global/networks/NAME, to be peered with.")
    ] = "",
    encryption_key: Annotated[
        str, typer.Option(help="Cloud KMS key (CMEK): projects/…/cryptoKeys/…")
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A label of the job and of the model."),
    ] = None,
    experiment: Annotated[str, typer.Option(help="Experiment to show the run in.")] = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step again.")] = False,
    create_bucket: Annotated[
        bool, typer.Option("--create-bucket", help="Make the bucket where it is missing.")
    ] = False,
    schedule: Annotated[
        str, typer.Option(metavar="CRON", help='Run again and again, as "0 6 * * 1".')
    ] = "",
    time_zone: Annotated[str, typer.Option(help="Of the schedule, as Europe/Berlin.")] = "Etc/UTC",
    max_runs: Annotated[
        int, typer.Option(min=0, help="Runs after which the schedule ends; 0: never.")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent, and send nothing.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the job until it ends.")] = False,
    every: Every = 5.0,
    require_upload: RequireUpload = False,
) -> None:
    """Run the pipeline on Vertex AI.

    The committed file is what is sent; flags for machines or an image compile it anew in memory.
    Before anything is sent, a preflight says what is missing and which command mends it.
    """
    from pipeline.vertex import sending, submission, target, timetable
    from pipeline.vertex.checks import Needs
    from pipeline.vertex.experiment import check_name
    from pipeline.vertex.ordering import Options, order

    _check_together(schedule, wait, experiment, require_upload, max_runs)
    if experiment:
        check_name(experiment)
    cron = timetable.cron(schedule, time_zone) if schedule else ""
    place = target.resolve(project, region)
    given = [*(parameter or []), *([] if source is None else [f"source={source}"])]
    ordered, difference = order(
        Options(
            bucket=bucket,
            parameters=tuple(given),
            preset=preset,
            spec=spec,
            image=image,
            accelerator=accelerator,
            machine_type=machine_type,
            replicas=replicas,
            spot=spot,
            service_account=service_account,
            network=network,
            key=encryption_key,
            labels=tuple(label or []),
            no_cache=no_cache,
        ),
        place,
    )
    request = (
        submission.schedule_request(ordered, cron, max_runs)
        if cron
        else submission.job_request(ordered)
    )
    if dry_run:
        typer.echo(sending.as_json(request))
        _say(difference or "the spec is compiled/pipeline.yaml as it is committed", sys.stderr)
        return
    needs = Needs(place, ordered.bucket, service_account, create_bucket)
    if cron:
        sending.schedule(request, needs, _say)
        return
    client = sending.job(request, needs, experiment, _say)
    if wait:
        _follow(client, place, ordered.job_id, every, require_upload)
    else:
        _say(f"`fashion-mnist watch {ordered.job_id} {place.flags}` follows it")


def watch(
    job: Annotated[str, typer.Argument(help="The job's id, or its full name.")],
    project: Project = None,
    region: Region = None,
    every: Every = 5.0,
    require_upload: RequireUpload = False,
) -> None:
    """Follow a job until it ends; Ctrl-C leaves it running."""
    from pipeline.vertex import connection, jobs, sending, target

    own_project, own_region, job_id = jobs.named(job)
    place = target.resolve(own_project or project, own_region or region)
    client = connection.pipelines(place, sending.credentials(place))
    _follow(client, place, job_id, every, require_upload)


def jobs(
    project: Project = None,
    region: Region = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 20,
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
    job: Annotated[str, typer.Argument(help="The job's id, or its full name.")],
    project: Project = None,
    region: Region = None,
) -> None:
    """Stop a job; the steps that were done stay in the cache."""
    from pipeline.vertex import connection, sending, target, watching
    from pipeline.vertex import jobs as all_jobs

    own_project, own_region, job_id = all_jobs.named(job)
    place = target.resolve(own_project or project, own_region or region)
    client = connection.pipelines(place, sending.credentials(place))
    before = all_jobs.cancel(client, place, job_id)
    if before.end_time:
        _say(f"{job_id} had ended already: {watching.state(before).lower()}")
    else:
        _say(f"{job_id} is being cancelled; `{watching.come_back(place, job_id)}` shows its end")


def _check_together(
    schedule: str, wait: bool, experiment: str, require_upload: bool, max_runs: int
) -> None:
    if schedule and wait:
        raise UsageError("--wait follows one job, and --schedule makes many; leave one out")
    if schedule and experiment:
        raise UsageError("--experiment: Vertex AI does not put scheduled runs into one")
    if require_upload and not wait:
        raise UsageError("--require-upload needs --wait: before the end nothing is uploaded")
    if max_runs and not schedule:
        raise UsageError("--max-runs needs --schedule")


def _follow(client: Any, place: Any, job_id: str, every: float, require_upload: bool) -> None:
    from pipeline.vertex import outcome, watching
    from pipeline.watchers import stopped_by_signals
    from pipeline.watchers import watch as watched

    goes_on = (
        f"{job_id} goes on; `{watching.come_back(place, job_id)}` follows it again, and "
        f"`fashion-mnist cancel {job_id} {place.flags}` stops it"
    )
    with stopped_by_signals(goes_on):
        ended, tasks = watching.follow(client, place, job_id, watched, _say, every=every)
    outcome.check(ended, place)
    outcome.tell(ended, tasks, place, _console())
    if require_upload and not outcome.uploaded(tasks):
        raise GateRefused("no version was uploaded, and --require-upload was given")


def _say(text: str, file: Any = None) -> None:
    _console(file).print(text, highlight=False, markup=False)


def _console(file: Any = None) -> Console:
    return Console(file=file or sys.stdout, soft_wrap=True)
