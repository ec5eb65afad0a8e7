"""From the options of ``submit`` to the message that Vertex AI gets, all of it checked."""

import datetime
import json
import os
import shlex
import types
from typing import Any, Final

import yaml

from components.dataset.description import NAME
from components.upload.containers import IMAGE, LAST_DAYS
from pipeline import checkout, compiler
from pipeline.errors import UsageError
from pipeline.runs.record import new_run_id
from pipeline.specs import dataset, forms, parameters
from pipeline.specs import spec as specs
from pipeline.specs.machine import Machine, requested
from pipeline.specs.spec import Spec
from pipeline.vertex.schedule import cron
from pipeline.vertex.target import Target, known_regions

FOLDER: Final = "fashion-mnist"
SERVING_IMAGE: Final = "FASHION_MNIST_SERVING_IMAGE"
"""The variable that names an image of one's own once, instead of ``-p serving_image=…``."""
NOTICE: Final = datetime.timedelta(days=60)
"""How long before a serving image's last day it is worth a warning."""
FORMS: Final = {
    "bucket": (
        r"(gs://)?(?!.*[^./]{64})[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/?",
        "a bucket's name alone, with gs:// or without: 3 to 63 lower-case letters, digits, dashes, "
        "underscores and dots",
    ),
    "bucket_owner": (r"\d+", "the number of the project that owns the bucket"),
    "image": (
        IMAGE.pattern,
        "the image with its registry, as in europe-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…",
    ),
    "service_account": (
        r"[\w.:-]+@[a-z0-9.-]+\.gserviceaccount\.com",
        "its address, as in NAME@PROJECT.iam.gserviceaccount.com",
    ),
    "network": (
        r"projects/\d+/global/networks/[a-z0-9-]+",
        "projects/NUMBER/global/networks/NAME, with the number of the project",
    ),
    "encryption_key": (
        r"projects/[^/]+/locations/[^/]+/keyRings/[\w-]+/cryptoKeys/[\w-]+",
        "projects/…/locations/…/keyRings/…/cryptoKeys/…, in the region of the run",
    ),
    "experiment": (
        r"[a-z0-9][a-z0-9-]{0,127}",
        "at most 128 lower-case letters, digits and hyphens",
    ),
    "label": (
        r"[a-z][a-z0-9_-]{0,62}=[a-z0-9_-]{0,63}",
        "key=value, each of at most 63 lower-case letters, digits, _ and - (no dot: write 1_0)",
    ),
}
"""What options of ``submit`` must look like: a regular expression, and the same in words."""


class Options(types.SimpleNamespace):
    """The options of ``submit``, by the names of its parameters."""

    @property
    def machine(self) -> Machine | None:
        """The machines of a distributed training; None for a training in its own step."""
        return requested(self.accelerator, self.machine_type, self.replicas, spot=self.spot)

    @property
    def bucket_name(self) -> str:
        """The bucket without ``gs://``."""
        return str(self.bucket).removeprefix("gs://").rstrip("/")

    @property
    def home(self) -> str:
        """The folder of the bucket that holds everything."""
        return f"gs://{self.bucket_name}/{FOLDER}"


def request(options: Options, target: Target) -> Any:
    """The ``CreatePipelineJobRequest`` or ``CreateScheduleRequest`` that the options describe.

    Raises:
        UsageError: An option's value is not valid, or the committed file is stale.
    """
    from google.cloud import aiplatform_v1 as vertex

    times = "" if options.schedule is None else cron(options.schedule, options.time_zone)
    _check(options, target)
    job = _job(options)
    create = vertex.CreatePipelineJobRequest(parent=target.parent, pipeline_job=job)
    if not times:
        create.pipeline_job_id = job.display_name
        return create
    # Each scheduled run gets its id from the service.
    schedule = vertex.Schedule(
        display_name=job.display_name,
        cron=times,
        max_concurrent_run_count=1,
        create_pipeline_job_request=create,
    )
    if options.max_runs:
        schedule.max_run_count = options.max_runs
    return vertex.CreateScheduleRequest(parent=target.parent, schedule=schedule)


def as_json(message: Any) -> str:
    """A request as it is sent, including the job's spec."""
    from google.protobuf import json_format

    content = json_format.MessageToDict(type(message).pb(message))
    return json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True)


def difference(options: Options) -> str:
    """How the spec differs from the committed file; empty if it does not."""
    committed = compiler.DISTRIBUTED_PIPELINE if options.machine else compiler.PIPELINE
    return compiler.difference(compiler.COMPILED, committed, _spec(options))


def serving_warning(message: Any) -> str:
    """Why the serving image of a request should not be used much longer; empty without a reason.

    Raises:
        UsageError: It is gone.
    """
    create = getattr(message, "schedule", None)
    job = (create.create_pipeline_job_request if create else message).pipeline_job
    image = job.runtime_config.parameter_values.get("serving_image", "")
    today = datetime.datetime.now(tz=datetime.UTC).date()
    until = LAST_DAYS.get(image, datetime.date.max)
    if until - today > NOTICE:
        return ""
    words = f"the serving image {image} is available until {until:%-d %B %Y}"
    if today > until:
        raise UsageError(f"{words} only: leave out serving_image, or give another one")
    return f"{words}, {(until - today).days} more days: then leave out serving_image"


def _check(options: Options, target: Target) -> None:
    forms.check(vars(options), FORMS)
    faults = (
        (options.schedule and options.wait, "--wait follows one job, and --schedule makes many"),
        (options.schedule and options.experiment, "--experiment cannot show scheduled runs"),
        (options.require_upload and not options.wait, "--require-upload needs --wait"),
        (options.max_runs and not options.schedule, "--max-runs needs --schedule"),
        (options.time_zone is not None and not options.schedule, "--time-zone needs --schedule"),
        (
            options.create_bucket and options.bucket_owner,
            "--create-bucket makes a bucket in your project: leave out --create-bucket or "
            "--bucket-owner",
        ),
        (
            options.experiment and target.region not in known_regions(),
            f"--experiment: the SDK has no experiments in {target.region}, which it does not list",
        ),
        (
            options.spec and (options.machine or options.image),
            "--spec: a compiled file has its machines and image already",
        ),
    )
    for is_fault, words in faults:
        if is_fault:
            raise UsageError(words)
    if options.encryption_key and (region := options.encryption_key.split("/")[3]) != target.region:
        raise UsageError(
            f"--encryption-key: the key is in {region}, and the run in {target.region}; the two "
            "must be the same"
        )


def _job(options: Options) -> Any:
    from google.cloud.aiplatform_v1 import PipelineJob

    if options.spec is None:
        compiler.check()
    spec = _spec(options)
    arguments = _arguments(options, spec)
    if options.no_cache:
        spec = specs.without_cache(spec)
    labels = dict(label.split("=") for label in options.label or ())
    if revision := checkout.git_revision():
        labels |= {"git_revision": revision, "git_dirty": str(checkout.is_dirty()).lower()}
    job = PipelineJob(
        display_name=new_run_id(spec["pipelineInfo"]["name"], datetime.datetime.now(datetime.UTC)),
        pipeline_spec=spec,
        labels=labels,
        runtime_config={
            "gcs_output_directory": f"{options.home}/pipeline-root",
            "parameter_values": arguments,
        },
        service_account=options.service_account,
        network=options.network,
    )
    if options.encryption_key:
        job.encryption_spec = {"kms_key_name": options.encryption_key}
    return job


def _spec(options: Options) -> Spec:
    if options.spec is not None:
        return specs.load(options.spec)
    if options.machine is not None:
        compiled: Spec = yaml.safe_load(
            compiler.build_distributed(options.machine, options.image or "")
        )
        return compiled
    committed = specs.load(compiler.COMPILED / compiler.PIPELINE)
    return compiler.with_image(committed, options.image) if options.image else committed


def _arguments(options: Options, spec: Spec) -> dict[str, Any]:
    given = parameters.from_options(options.parameter, options.source, options.dataset, spec)
    own = {"bucket_uri": options.home, "git_revision": checkout.git_revision()}
    if image := os.environ.get(SERVING_IMAGE):
        if not IMAGE.fullmatch(image):
            raise UsageError(f"{SERVING_IMAGE}={image}: give {FORMS['image'][1]}")
        own["serving_image"] = image
    arguments = parameters.resolve(spec, given, preset=options.preset, own=own)
    uri = arguments.get("bucket_uri", options.home)
    if isinstance(uri, str) and not f"{uri}/".startswith(f"gs://{options.bucket_name}/"):
        raise UsageError(
            f"bucket_uri={uri}: a run keeps everything in its own bucket, which is checked; give "
            "--bucket, or a folder of it as bucket_uri"
        )
    source = arguments.get("source", "") if specs.has_all_steps(spec) else ""
    if source and not source.startswith(("gs://", "http://", "https://")):
        files = shlex.quote(source.rstrip("/")) + "/*"
        described = dataset.beside(source) and f" --dataset {shlex.quote(f'{source}/{NAME}')}"
        raise UsageError(
            f"source={source}: a step on Vertex AI cannot read a directory of this machine; copy "
            f"it, `gcloud storage cp {files} gs://{options.bucket_name}/source/`, and give "
            f"--source gs://{options.bucket_name}/source{described or ''}"
        )
    return arguments
