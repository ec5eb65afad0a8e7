"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

WHAT = "What to run"
WHERE = "Where"
MACHINES = "What the training runs on"
IDENTITY = "What the job runs as"
REPEATED = "Again and again"
THEN = "What to do with it"

Project = Annotated[
    str | None,
    typer.Option(
        help="Project id; else GOOGLE_CLOUD_PROJECT, CLOUDSDK_CORE_PROJECT or gcloud's own.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        help="As europe-west4; else GOOGLE_CLOUD_REGION, CLOUDSDK_AI_REGION or gcloud's own.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Every = Annotated[
    float,
    typer.Option(
        "--every", min=0.05, help="Seconds between two looks at the job.", rich_help_panel=THEN
    ),
]
RequireUpload = Annotated[
    bool,
    typer.Option(
        "--require-upload", help="Exit 3 when no version was uploaded.", rich_help_panel=THEN
    ),
]

Bucket = Annotated[
    str,
    typer.Option(
        help="Bucket of the data, the runs and the models; in the region.", rich_help_panel=WHERE
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        help="A pipeline parameter.",
        rich_help_panel=WHAT,
    ),
]
Source = Annotated[
    str | None,
    typer.Option(help="Where the four raw files are: http(s):// or gs://.", rich_help_panel=WHAT),
]
Preset = Annotated[
    str | None,
    typer.Option(
        help="Hyperparameters to start from: tutorial, fast or best; -p wins.", rich_help_panel=WHAT
    ),
]
Spec = Annotated[
    Path | None,
    typer.Option(help="Compiled pipeline, instead of the committed one.", rich_help_panel=WHAT),
]
Image = Annotated[
    str,
    typer.Option(
        help="Image that holds the dependencies, as URI@sha256:…", rich_help_panel=MACHINES
    ),
]
Accelerator = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE[:N]", help="For the training, as NVIDIA_L4:1.", rich_help_panel=MACHINES
    ),
]
MachineType = Annotated[
    str | None, typer.Option(help="For the training, as n1-standard-8.", rich_help_panel=MACHINES)
]
Replicas = Annotated[
    int | None, typer.Option(help="Machines that share the training.", rich_help_panel=MACHINES)
]
Spot = Annotated[
    bool,
    typer.Option(
        "--spot",
        help="Train on spot machines, and start again when taken.",
        rich_help_panel=MACHINES,
    ),
]
ServiceAccount = Annotated[
    str,
    typer.Option(
        help="What the steps run as; else Compute Engine's default account.",
        rich_help_panel=IDENTITY,
    ),
]
Network = Annotated[
    str,
    typer.Option(
        help="projects/NUMBER/global/networks/NAME, to be peered with.", rich_help_panel=IDENTITY
    ),
]
EncryptionKey = Annotated[
    str,
    typer.Option(help="Cloud KMS key (CMEK): projects/…/cryptoKeys/…", rich_help_panel=IDENTITY),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="A label of the job and of the model.", rich_help_panel=IDENTITY
    ),
]
Experiment = Annotated[
    str, typer.Option(help="Experiment to show the run in.", rich_help_panel=IDENTITY)
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Run every step again.", rich_help_panel=WHAT)
]
CreateBucket = Annotated[
    bool,
    typer.Option(
        "--create-bucket", help="Make the bucket where it is missing.", rich_help_panel=WHERE
    ),
]
Schedule = Annotated[
    str,
    typer.Option(
        metavar="CRON", help='Run again and again, as "0 6 * * 1".', rich_help_panel=REPEATED
    ),
]
TimeZone = Annotated[
    str, typer.Option(help="Of the schedule, as Europe/Berlin.", rich_help_panel=REPEATED)
]
MaxRuns = Annotated[
    int,
    typer.Option(
        min=0, help="Runs after which the schedule ends; 0: never.", rich_help_panel=REPEATED
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print what would be sent, and send nothing.", rich_help_panel=THEN
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Follow the job until it ends.", rich_help_panel=THEN)
]
Job = Annotated[str, typer.Argument(help="The job's id, or its full name.")]
Count = Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")]
