"""The command that submits the pipeline, or schedules it."""

import datetime
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from pipeline.cli.console import print_json, say, say_aside, waiting
from pipeline.cli.options import WHAT, AsJson, NoCache, Parameters, Preset, RequireUpload, Spec
from pipeline.cli.vertex_jobs import WHERE, Every, Project, Region, follow
from pipeline.text import command

MACHINES: Final = "What the training runs on"
IDENTITY: Final = "What the job runs as"
REPEATED: Final = "Schedule"
AFTERWARDS: Final = "What to do with it"


def _option(panel: str, help: str, *names: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


def submit(
    bucket: Annotated[
        str, _option(WHERE, "Bucket of the data, the runs and the models; in the region.")
    ],
    project: Project = None,
    region: Region = None,
    create_bucket: Annotated[
        bool, _option(WHERE, "Make the bucket if it is missing.", "--create-bucket")
    ] = False,
    parameter: Parameters = None,
    source: Annotated[
        str | None, _option(WHAT, "Where the four raw files are: http(s):// or gs://.")
    ] = None,
    preset: Preset = None,
    spec: Spec = None,
    no_cache: NoCache = False,
    image: Annotated[
        str, _option(MACHINES, "Image that holds the dependencies, as URI@sha256:…")
    ] = "",
    accelerator: Annotated[
        str | None, _option(MACHINES, "For the training, as NVIDIA_L4:1.", metavar="TYPE[:N]")
    ] = None,
    machine_type: Annotated[
        str | None, _option(MACHINES, "For the training, as n1-standard-8.")
    ] = None,
    replicas: Annotated[int | None, _option(MACHINES, "Machines that share the training.")] = None,
    spot: Annotated[
        bool, _option(MACHINES, "Train on spot machines, and start again if preempted.", "--spot")
    ] = False,
    service_account: Annotated[
        str, _option(IDENTITY, "What the steps run as; else Compute Engine's default account.")
    ] = "",
    network: Annotated[
        str, _option(IDENTITY, "projects/NUMBER/global/networks/NAME, to be peered with.")
    ] = "",
    encryption_key: Annotated[
        str, _option(IDENTITY, "Cloud KMS key (CMEK): projects/…/cryptoKeys/…")
    ] = "",
    label: Annotated[
        list[str] | None,
        _option(IDENTITY, "A label of the job and of the model.", metavar="KEY=VALUE"),
    ] = None,
    experiment: Annotated[str, _option(IDENTITY, "Experiment to show the run in.")] = "",
    schedule: Annotated[
        str, _option(REPEATED, 'Run repeatedly, as "0 6 * * 1".', metavar="CRON")
    ] = "",
    time_zone: Annotated[str, _option(REPEATED, "Of the schedule, as Europe/Berlin.")] = "Etc/UTC",
    max_runs: Annotated[
        int, _option(REPEATED, "Runs after which the schedule ends; 0: never.", min=0)
    ] = 0,
    dry_run: Annotated[
        bool, _option(AFTERWARDS, "Print what would be sent, and send nothing.", "--dry-run")
    ] = False,
    wait: Annotated[bool, _option(AFTERWARDS, "Follow the job until it ends.", "--wait")] = False,
    every: Every = 5.0,
    require_upload: RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Run the pipeline on Vertex AI.

    It sends the committed file; options for machines or an image change it in memory. Before
    anything is sent, a preflight says what is missing and which command fixes it.

    Examples:
        submit --bucket BUCKET --dry-run  # prints what would be sent, and sends nothing
        submit --bucket BUCKET --create-bucket --wait  # the first job, followed to its end
        submit --bucket BUCKET --accelerator NVIDIA_L4 --spot  # trains on another machine
        submit --bucket BUCKET --schedule '0 6 * * 1' --time-zone Europe/Berlin  # Mondays at six
    """
    from pipeline.vertex import request as requests
    from pipeline.vertex.job import watch_command
    from pipeline.vertex.target import resolve

    target = resolve(project, region)
    options = requests.Options(
        bucket=bucket,
        parameters=(*(parameter or ()), *(() if source is None else (f"source={source}",))),
        preset=preset,
        spec=spec,
        no_cache=no_cache,
        image=image,
        accelerator=accelerator,
        machine_type=machine_type,
        replicas=replicas,
        spot=spot,
        service_account=service_account,
        network=network,
        encryption_key=encryption_key,
        label=tuple(label or ()),
        experiment=experiment,
        schedule=schedule,
        time_zone=time_zone,
        max_runs=max_runs,
        wait=wait,
        require_upload=require_upload,
    )
    with waiting("comparing compiled/ with its source"):
        request = requests.request(options, target)
    if warning := requests.serving_warning(request, datetime.datetime.now(tz=datetime.UTC).date()):
        say_aside(f"warning: {warning}")
    if dry_run:
        typer.echo(requests.as_json(request))
        say_aside(requests.difference(options) or "the spec is as committed in compiled/")
        return
    notes: list[str] = []
    try:
        with waiting("checking the project, then submitting"):
            created = _send(request, options, target, notes.append, create_bucket=create_bucket)
    finally:
        for note in notes:
            (say_aside if as_json else say)(note)
    job_id = requests.job_of(request).display_name
    if wait:
        follow(target, job_id, every, require_upload=require_upload, as_json=as_json)
    elif as_json:
        print_json(created)
    elif not schedule:
        say(f"`{watch_command(target, job_id)}` follows it")


def _send(
    request: Any, options: Any, target: Any, note: Callable[[str], None], *, create_bucket: bool
) -> dict[str, Any]:
    """Sends the request after a preflight.

    Returns:
        The job or the schedule as JSON values.
    """
    from pipeline.vertex import experiment, job, preflight
    from pipeline.vertex import schedule as schedules

    account = options.service_account
    preflight.check(target, options.bucket_name, account, note, create_bucket=create_bucket)
    if options.schedule:
        created = schedules.create(target, request)
        number = job.id_of(created)
        note(f"scheduled as {number}: {created.cron}")
        note(f"`{command(f'schedules pause {number} {target.flags}')}` pauses it")
        return schedules.as_json(created)
    context = experiment.prepare(options.experiment, target) if options.experiment else ""
    created = job.create(target, request)
    note(f"submitted {job.id_of(created)}: {job.page(target, job.id_of(created))}")
    if context:
        experiment.add(context, target, job.id_of(created))
    return job.as_json(created, target)
