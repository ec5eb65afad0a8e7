"""The command that submits the pipeline, or schedules it."""

import datetime
from collections.abc import Callable
from typing import Any

import typer

from pipeline.cli import vertex_options as given
from pipeline.cli.console import AsJson, print_json, say, say_aside, waiting
from pipeline.cli.vertex_follow import follow
from pipeline.errors import UsageError
from pipeline.program import command


def submit(
    bucket: given.Bucket,
    project: given.Project = None,
    region: given.Region = None,
    parameter: given.Parameters = None,
    source: given.Source = None,
    preset: given.Preset = None,
    spec: given.Spec = None,
    image: given.Image = "",
    accelerator: given.Accelerator = None,
    machine_type: given.MachineType = None,
    replicas: given.Replicas = None,
    spot: given.Spot = False,
    service_account: given.ServiceAccount = "",
    network: given.Network = "",
    encryption_key: given.EncryptionKey = "",
    label: given.Labels = None,
    experiment: given.Experiment = "",
    no_cache: given.NoCache = False,
    create_bucket: given.CreateBucket = False,
    schedule: given.Schedule = "",
    time_zone: given.TimeZone = "Etc/UTC",
    max_runs: given.MaxRuns = 0,
    dry_run: given.DryRun = False,
    wait: given.Wait = False,
    every: given.Every = 5.0,
    require_upload: given.RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Run the pipeline on Vertex AI.

    The committed file is what is sent; flags for machines or an image compile it anew in memory.
    Before anything is sent, a preflight says what is missing and which command mends it.
    """
    from pipeline.vertex import submission, target, timetable
    from pipeline.vertex.ordering import Options, order

    _check_together(schedule, wait, experiment, require_upload, max_runs)
    cron = timetable.cron(schedule, time_zone) if schedule else ""
    place = target.resolve(project, region)
    own_source = () if source is None else (f"source={source}",)
    asked = Options(
        bucket=bucket,
        parameters=(*(parameter or ()), *own_source),
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
        labels=tuple(label or ()),
        no_cache=no_cache,
    )
    with waiting("comparing compiled/ with its source"):
        ordered, difference = order(asked, place)
    if warning := submission.serving_warning(
        ordered, datetime.datetime.now(tz=datetime.UTC).date()
    ):
        say_aside(f"warning: {warning}")
    if dry_run:
        _show(ordered, cron, max_runs, difference)
        return
    note = say_aside if as_json else say
    client, created = _send(ordered, cron, max_runs, experiment, create_bucket, note)
    if wait:
        follow(client, place, ordered.job_id, every, require_upload, as_json)
    elif as_json:
        print_json(created)
    elif not cron:
        say(f"`{command(f'watch {ordered.job_id} {place.flags}')}` follows it")


def _request(ordered: Any, cron: str, max_runs: int) -> Any:
    from pipeline.vertex import submission

    if cron:
        return submission.schedule_request(ordered, cron, max_runs)
    return submission.job_request(ordered)


def _show(ordered: Any, cron: str, max_runs: int, difference: str) -> None:
    from pipeline.vertex import sending

    typer.echo(sending.as_json(_request(ordered, cron, max_runs)))
    say_aside(difference or "the spec is as it is committed in compiled/")


def _send(
    ordered: Any,
    cron: str,
    max_runs: int,
    experiment: str,
    create_bucket: bool,
    note: Callable[[str], None],
) -> tuple[Any, dict[str, Any]]:
    """Sends the request.

    Returns:
        The client to follow a job with, and what was created as JSON values.
    """
    from pipeline.vertex import jobs, schedules, sending
    from pipeline.vertex.checks import Needs

    needs = Needs(ordered.target, ordered.bucket, ordered.service_account, create_bucket)
    request = _request(ordered, cron, max_runs)
    told: list[str] = []
    try:
        with waiting("looking at the project, then submitting"):
            if cron:
                return None, schedules.as_json(sending.schedule(request, needs, told.append))
            client, job = sending.job(request, needs, experiment, told.append)
            return client, jobs.as_json(job, ordered.target)
    finally:
        for line in told:
            note(line)


def _check_together(
    schedule: str, wait: bool, experiment: str, require_upload: bool, max_runs: int
) -> None:
    from pipeline.vertex.experiment import check_name

    if experiment:
        check_name(experiment)
    if schedule and wait:
        raise UsageError("--wait follows one job, and --schedule makes many; leave one out")
    if schedule and experiment:
        raise UsageError("--experiment: Vertex AI does not put scheduled runs into one")
    if require_upload and not wait:
        raise UsageError("--require-upload needs --wait: before the end nothing is uploaded")
    if max_runs and not schedule:
        raise UsageError("--max-runs needs --schedule")
