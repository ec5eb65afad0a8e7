"""The command that submits the pipeline to Kubeflow, or schedules it there."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from pipeline.cli.console import print_json, say, say_aside, waiting
from pipeline.cli.kubeflow_options import (
    CaCert,
    CookieFile,
    Host,
    Namespace,
    TokenFile,
)
from pipeline.cli.kubeflow_runs import follow
from pipeline.cli.options import (
    WHAT,
    WHERE,
    AsJson,
    Dataset,
    Every,
    NoCache,
    Parameters,
    Preset,
    RequireUpload,
    Spec,
    option,
)
from pipeline.text import command

if TYPE_CHECKING:
    from pipeline.kubeflow.target import Target

EXPERIMENT: Final = "fashion-mnist"
MACHINES: Final = "What the steps run on"
IDENTITY: Final = "What the steps run as"
REPEATED: Final = "Schedule"
AFTERWARDS: Final = "What to do with it"


def submit(
    host: Host = None,
    namespace: Namespace = None,
    experiment: Annotated[
        str, option("Experiment of the run, made if missing.", panel=WHERE)
    ] = EXPERIMENT,
    token_file: TokenFile = None,
    cookie_file: CookieFile = None,
    ca_cert: CaCert = None,
    pipeline_root: Annotated[
        str | None,
        option("Where artifacts go, as s3://BUCKET/PATH; else the installation's.", panel=WHERE),
    ] = None,
    parameter: Parameters = None,
    source: Annotated[
        str | None, option("Where the four raw files are: http(s):// or gs://.", panel=WHAT)
    ] = None,
    dataset: Dataset = None,
    tracking_uri: Annotated[
        str | None,
        option("MLflow's address on the cluster; else without a registry.", panel=WHAT),
    ] = None,
    preset: Preset = None,
    spec: Spec = None,
    no_cache: NoCache = False,
    image: Annotated[
        str | None, option("Image that holds the dependencies.", panel=MACHINES)
    ] = None,
    cpu: Annotated[
        str | None, option("CPUs of the training; else 1 or more.", panel=MACHINES)
    ] = None,
    memory: Annotated[
        str | None, option("Memory of the training, as 8G; else 2G or more.", panel=MACHINES)
    ] = None,
    gpu: Annotated[
        str | None,
        option("GPUs of the training, as 1.", panel=MACHINES, metavar="N[:nvidia.com/…]"),
    ] = None,
    node_selector: Annotated[
        list[str] | None,
        option(
            "Nodes of the steps; with --gpu of the training alone.",
            panel=MACHINES,
            metavar="KEY=VALUE",
        ),
    ] = None,
    toleration: Annotated[
        list[str] | None,
        option(
            "Of a taint of these nodes; --gpu adds its own.",
            panel=MACHINES,
            metavar="KEY[=VALUE][:EFFECT]",
        ),
    ] = None,
    service_account: Annotated[
        str | None, option("Service account in the namespace.", panel=IDENTITY)
    ] = None,
    image_pull_secret: Annotated[
        list[str] | None, option("Secret of a private --image.", panel=IDENTITY, metavar="SECRET")
    ] = None,
    secret_env: Annotated[
        list[str] | None,
        option(
            "A secret's key as a variable of the steps.",
            panel=IDENTITY,
            metavar="SECRET:KEY=VARIABLE",
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        option(
            "A variable of the steps, stored as plain text.", panel=IDENTITY, metavar="NAME=VALUE"
        ),
    ] = None,
    schedule: Annotated[
        str | None, option('Run repeatedly, as "0 6 * * 1".', panel=REPEATED, metavar="CRON")
    ] = None,
    max_concurrency: Annotated[
        int, option("Scheduled runs at the same time.", panel=REPEATED, min=1, max=10)
    ] = 1,
    catch_up: Annotated[
        bool,
        option("Make up for each time that was missed.", "--catch-up", panel=REPEATED),
    ] = False,
    dry_run: Annotated[
        bool, option("Print what would be sent, and send nothing.", "--dry-run", panel=AFTERWARDS)
    ] = False,
    wait: Annotated[
        bool, option("Follow the run until it ends.", "--wait", panel=AFTERWARDS)
    ] = False,
    every: Every = 5.0,
    require_upload: RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Run the pipeline on a Kubeflow Pipelines installation.

    It sends the committed file; options for machines or an image change it in memory.

    Examples:
        kubeflow submit --dry-run  # prints what would be sent, and needs no installation
        kubeflow submit --host http://localhost:8080 --wait  # a run, followed to its end
        kubeflow submit --gpu 1 --memory 8G  # trains on a GPU
        kubeflow submit --schedule '0 6 * * 1'  # Mondays at six
    """
    given = locals()

    from pipeline.kubeflow import request as requests
    from pipeline.kubeflow.target import resolve

    options = requests.Options(**given)
    # A dry run only checks these options.
    host = "localhost" if dry_run and host is None else host
    target = resolve(host, namespace, token_file, cookie_file, ca_cert)
    with waiting("comparing compiled/ with its source"):
        body = requests.request(options)
    if dry_run:
        print_json(
            {"experiment": experiment, "namespace": namespace, "request": requests.as_json(body)}
        )
        say_aside(requests.difference(options) or "the spec is as committed in compiled/")
        return
    with waiting(f"submitting to {target.host}"):
        created = _send(target, body, experiment)
    if schedule:
        _scheduled(target, created, as_json=as_json)
        return
    from pipeline.kubeflow import run as runs

    note = say_aside if as_json else say
    note(f"submitted {created.display_name}: {runs.as_json(created, target)['page']}")
    if wait:
        follow(target, created.run_id, every, require_upload=require_upload, as_json=as_json)
    elif as_json:
        print_json(runs.as_json(created, target))
    else:
        say(f"`{runs.watch_command(target, created.display_name)}` follows it")


def _send(target: "Target", body: Any, experiment: str) -> Any:
    from pipeline.kubeflow import run as runs

    body.experiment_id = runs.experiment(target, experiment)
    return runs.create(target, body)


def _scheduled(target: "Target", created: Any, *, as_json: bool) -> None:
    from pipeline.kubeflow import schedule as schedules

    values = schedules.as_json(created, target)
    name = created.display_name
    note = say_aside if as_json else say
    note(f"scheduled as {name}: {values['cron']} (seconds first; UTC unless set otherwise there)")
    note(f"`{command(f'kubeflow schedules pause {name} {target.flags}')}` pauses it")
    if as_json:
        print_json(values)
