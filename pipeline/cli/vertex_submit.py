"""The command that submits the pipeline, or schedules it."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from pipeline.cli.console import print_json, say, say_aside, waiting
from pipeline.cli.options import (
    WHAT,
    WHERE,
    AsJson,
    Dataset,
    Every,
    NoCache,
    Parameters,
    Preset,
    Project,
    Region,
    RequireUpload,
    Spec,
    option,
)
from pipeline.cli.vertex_jobs import follow
from pipeline.text import command
from pipeline.vertex import job
from pipeline.vertex import schedule as schedules
from pipeline.vertex.target import Target, resolve

if TYPE_CHECKING:
    from pipeline.vertex.request import Options

MACHINES: Final = "What the training runs on"
IDENTITY: Final = "What the job runs as"
REPEATED: Final = "Schedule"
AFTERWARDS: Final = "What to do with it"


def submit(
    bucket: Annotated[
        str,
        option(
            "Bucket of the data, the runs and the models; in the region. Required.", panel=WHERE
        ),
    ] = "",
    project: Project = None,
    region: Region = None,
    create_bucket: Annotated[
        bool, option("Make the bucket if it is missing.", "--create-bucket", panel=WHERE)
    ] = False,
    bucket_owner: Annotated[
        str | None,
        option(
            "Number of the project that owns the bucket, if that is another one.",
            panel=WHERE,
            metavar="NUMBER",
        ),
    ] = None,
    parameter: Parameters = None,
    source: Annotated[
        str | None, option("Where the four raw files are: http(s):// or gs://.", panel=WHAT)
    ] = None,
    dataset: Dataset = None,
    preset: Preset = None,
    spec: Spec = None,
    no_cache: NoCache = False,
    image: Annotated[
        str | None, option("Image that holds the dependencies, as URI@sha256:…", panel=MACHINES)
    ] = None,
    accelerator: Annotated[
        str | None,
        option("For the training, as NVIDIA_L4:1.", panel=MACHINES, metavar="TYPE[:N]"),
    ] = None,
    machine_type: Annotated[
        str | None, option("For the training, as n1-standard-8.", panel=MACHINES)
    ] = None,
    replicas: Annotated[
        int | None, option("Machines that share the training.", panel=MACHINES, min=1)
    ] = None,
    spot: Annotated[
        bool,
        option("Train on spot machines, and start again if preempted.", "--spot", panel=MACHINES),
    ] = False,
    service_account: Annotated[
        str | None,
        option("What the steps run as; else Compute Engine's default account.", panel=IDENTITY),
    ] = None,
    network: Annotated[
        str | None,
        option("projects/NUMBER/global/networks/NAME, to be peered with.", panel=IDENTITY),
    ] = None,
    encryption_key: Annotated[
        str | None, option("Cloud KMS key (CMEK): projects/…/cryptoKeys/…", panel=IDENTITY)
    ] = None,
    label: Annotated[
        list[str] | None,
        option("A label of the job and of the model.", panel=IDENTITY, metavar="KEY=VALUE"),
    ] = None,
    experiment: Annotated[
        str | None, option("Experiment to show the run in.", panel=IDENTITY)
    ] = None,
    schedule: Annotated[
        str | None, option('Run repeatedly, as "0 6 * * 1".', panel=REPEATED, metavar="CRON")
    ] = None,
    time_zone: Annotated[
        str | None, option("Of the schedule, as Europe/Berlin; else UTC.", panel=REPEATED)
    ] = None,
    max_runs: Annotated[
        int, option("Runs after which the schedule ends; 0: never.", panel=REPEATED, min=0)
    ] = 0,
    dry_run: Annotated[
        bool, option("Print what would be sent, and send nothing.", "--dry-run", panel=AFTERWARDS)
    ] = False,
    wait: Annotated[
        bool, option("Follow the job until it ends.", "--wait", panel=AFTERWARDS)
    ] = False,
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
    given = locals()

    from pipeline.vertex import request as requests

    no_bucket = () if bucket else ("no bucket is given: give --bucket",)
    target, options = resolve(project, region, *no_bucket), requests.Options(**given)
    with waiting("comparing compiled/ with its source"):
        request = requests.request(options, target)
    if warning := requests.serving_warning(request):
        say_aside(f"warning: {warning}")
    if dry_run:
        print_json(json.loads(requests.as_json(request)))
        say_aside(requests.difference(options) or "the spec is as committed in compiled/")
        return
    notes: list[str] = []
    try:
        with waiting("checking the project, then submitting"):
            created = _send(request, options, target, notes.append)
    finally:
        for note in notes:
            (say_aside if as_json else say)(note)
    if wait:
        job_id = request.pipeline_job_id
        follow(target, job_id, every, require_upload=require_upload, as_json=as_json)
    elif as_json:
        print_json(created)
    elif not schedule:
        say(f"`{job.watch_command(target, request.pipeline_job_id)}` follows it")


def _send(
    request: Any, options: "Options", target: Target, note: Callable[[str], None]
) -> dict[str, Any]:
    """Sends the request after a preflight, and returns the job or the schedule as JSON values."""
    from pipeline.vertex import preflight

    preflight.check(target, options, note)
    if options.schedule:
        created = schedules.create(target, request)
        number = job.id_of(created)
        note(f"scheduled as {number}: {created.cron}")
        note(f"`{command(f'schedules pause {number} {target.flags}')}` pauses it")
        return schedules.as_json(created)
    name = options.experiment
    context = job.prepare_experiment(name, target) if name else ""
    created = job.create(target, request)
    note(f"submitted {job.id_of(created)}: {job.page(target, job.id_of(created))}")
    if context:
        job.add_to_experiment(context, target, job.id_of(created))
    return job.as_json(created, target)
