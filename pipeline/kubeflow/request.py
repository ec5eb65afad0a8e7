"""From the options of ``kubeflow submit`` to the request that is sent, all of it checked."""

import datetime
import re
import shlex
import types
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from components.dataset.description import NAME
from pipeline import checkout, compiler
from pipeline.errors import UsageError
from pipeline.kubeflow import machine
from pipeline.kubeflow import platform as platforms
from pipeline.kubeflow.schedule import times
from pipeline.kubeflow.target import LOOPBACK
from pipeline.runs.record import new_run_id
from pipeline.specs import dataset, forms, parameters
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec

IMAGE: Final = (
    r"((localhost|[\w-]+(\.[\w-]+)+|[\w-]+(?=:\d))(:\d+)?/)?"
    r"[a-z0-9]+([._/-]+[a-z0-9]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?"
)
VARIABLE: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)")
CREDENTIAL: Final = re.compile(
    r"(?i)\w*(PASSWORD|PASSWD|TOKEN|SECRET|_KEY)=|\w+=(.*://)?[^/@]*:[^/@]*@"
)
"""A variable that looks like one, by its name or by its value."""
FORMS: Final = {
    "experiment": (r"\S(.{0,126}\S)?", "a name of at most 128 characters"),
    "image": (
        IMAGE,
        "the image in small letters, as in ghcr.io/owner/name:TAG or name@sha256:…",
    ),
    "pipeline_root": (
        r"(s3|minio|gs)://[^/\s]+(/\S*)?",
        "an address of a folder: s3://…, minio://… or gs://…",
    ),
    "service_account": (
        platforms.SUBDOMAIN,
        "the name of a service account of Kubernetes, as in pipeline-runner",
    ),
    "image_pull_secret": (platforms.SUBDOMAIN, "the name of a secret in the namespace"),
    "node_selector": (
        f"{platforms.LABEL}={platforms.VALUE}",
        "a label as KEY=VALUE, as in cloud.google.com/gke-accelerator=nvidia-l4",
    ),
    "toleration": (
        platforms.TOLERATION.pattern,
        "KEY, KEY=VALUE or either with :NoSchedule, :PreferNoSchedule or :NoExecute",
    ),
    "secret_env": (
        platforms.SECRET.pattern,
        "SECRET:KEY=VARIABLE, as in mlflow:password=MLFLOW_TRACKING_PASSWORD",
    ),
    "env": (VARIABLE.pattern, "NAME=VALUE, as in HTTPS_PROXY=http://proxy:3128"),
    "cpu": (machine.CPUS, "a number of CPUs, as in 4 or 500m"),
    "memory": (machine.BYTES, "an amount, as in 8G or 1500Mi"),
}
"""What options must look like: a regular expression, and the same in words."""
REMOTE: Final = ("gs://", "http://", "https://")
"""Where a step on a cluster can read the raw files."""
STORES: Final = ("s3://", "minio://", "gs://")


class Options(types.SimpleNamespace):
    """The options of ``kubeflow submit``, by the names of its parameters."""


def request(options: Options) -> Any:
    """The ``V2beta1Run`` or ``V2beta1RecurringRun`` that the options describe.

    It is complete but for the experiment's id.

    Raises:
        UsageError: An option's value is not valid, or the committed file is stale.
    """
    import kfp_server_api as api

    cron = "" if options.schedule is None else times(options.schedule)
    gpus = machine.gpus(options.gpu)
    _check(options)
    if options.spec is None:
        compiler.check()
    spec = _spec(options)
    arguments = _arguments(options, spec)
    revision = checkout.git_revision()
    dirty = " with changes" if checkout.is_dirty() else ""
    common: dict[str, Any] = {
        "display_name": new_run_id(
            spec["pipelineInfo"]["name"], datetime.datetime.now(datetime.UTC)
        ),
        "description": f"git revision {revision}{dirty}" if revision else None,
        "pipeline_spec": _with_platform(spec, platforms.platform(options, gpus, spec)),
        "runtime_config": api.V2beta1RuntimeConfig(
            parameters=arguments, pipeline_root=options.pipeline_root
        ),
        "service_account": options.service_account,
    }
    if not cron:
        return api.V2beta1Run(**common)
    return api.V2beta1RecurringRun(
        **common,
        trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=cron)),
        max_concurrency=str(options.max_concurrency),
        no_catchup=not options.catch_up,
        mode=api.RecurringRunMode.ENABLE,
    )


def as_json(body: Any) -> Any:
    """A request as it is sent."""
    import kfp_server_api

    return kfp_server_api.ApiClient().sanitize_for_serialization(body)


def difference(options: Options) -> str:
    """How the spec differs from the committed file; empty if it does not."""
    return compiler.difference(compiler.COMPILED, compiler.KUBEFLOW_PIPELINE, _spec(options))


def _check(options: Options) -> None:
    compiled = options.image or options.gpu or options.cpu or options.memory
    faults = (
        (options.schedule and options.wait, "--wait follows one run, and --schedule makes many"),
        (options.require_upload and not options.wait, "--require-upload needs --wait"),
        (
            options.max_concurrency != 1 and not options.schedule,
            "--max-concurrency needs --schedule",
        ),
        (options.catch_up and not options.schedule, "--catch-up needs --schedule"),
        (
            secret := next(filter(None, map(CREDENTIAL.match, options.env or ())), None),
            f"--env is stored as plain text; put {secret and secret[0].partition('=')[0]} into a "
            "secret, and give --secret-env SECRET:KEY=VARIABLE",
        ),
        (
            re.search("(?i)//[^/]*@|(key|secret|token|sig)[^=&]*=", options.pipeline_root or ""),
            "--pipeline-root is stored as plain text; leave out user, password and keys",
        ),
        (options.spec and compiled, "--spec: a compiled file has its machines and image already"),
    )
    for is_fault, words in faults:
        if is_fault:
            raise UsageError(words)
    forms.check(vars(options), FORMS)


def _spec(options: Options) -> Spec:
    spec = _chosen(options)
    if options.no_cache:
        spec = specs.without_cache(spec)
    if not options.env:
        return spec
    found = [VARIABLE.fullmatch(text) for text in options.env]
    variables = [{"name": one["name"], "value": one["value"]} for one in found if one]
    return specs.map_containers(
        spec, lambda _, own: {**own, "env": [*own.get("env", []), *variables]}
    )


def _chosen(options: Options) -> Spec:
    if options.spec is not None:
        own = specs.load(options.spec)
        if specs.has_all_steps(own) and "tracking_uri" not in specs.declared(own):
            file = f"compiled/{compiler.KUBEFLOW_PIPELINE}"
            raise UsageError(f"--spec {options.spec}: it is compiled for Vertex AI; give {file}")
        return own
    place = machine.place(machine.gpus(options.gpu), options.cpu, options.memory)
    if place is not None:
        compiled: Spec = yaml.safe_load(compiler.build_kubeflow(place, options.image or ""))
        return compiled
    committed = specs.load(compiler.COMPILED / compiler.KUBEFLOW_PIPELINE)
    return compiler.with_image(committed, options.image) if options.image else committed


def _with_platform(spec: Spec, platform: dict[str, Any]) -> dict[str, Any]:
    """A pipeline as the API takes it, with the part about its platform.

    Raises:
        UsageError: It is no pipeline of KFP's.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    try:
        message = json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    except json_format.ParseError as error:
        raise UsageError(f"--spec: it is not a pipeline of kfp 2.17: {error}") from error
    pipeline: dict[str, Any] = json_format.MessageToDict(message)
    return {"pipeline_spec": pipeline, "platform_spec": platform} if platform else pipeline


def _arguments(options: Options, spec: Spec) -> dict[str, Any]:
    given = parameters.from_options(options.parameter, options.source, options.dataset, spec)
    if options.tracking_uri is not None:
        given["tracking_uri"] = options.tracking_uri
    own = {"bucket_uri": "", "git_revision": checkout.git_revision()}
    arguments = parameters.resolve(spec, given, preset=options.preset, own=own)
    if specs.has_all_steps(spec):
        _check_addresses(arguments)
    return arguments


def _check_addresses(arguments: dict[str, Any]) -> None:
    """Refuses addresses that mean something else, or nothing, to a step on a cluster."""
    source = arguments.get("source", "")
    if source and not source.startswith(REMOTE):
        files = shlex.quote(source.rstrip("/")) + "/*"
        described = dataset.beside(source) and f" --dataset {shlex.quote(f'{source}/{NAME}')}"
        raise UsageError(
            f"source={source}: a step on a cluster cannot read a directory of this machine; copy "
            "it to a web server, or to a bucket that the cluster reads, as in `gcloud storage cp "
            f"{files} gs://BUCKET/source/`, and give --source gs://BUCKET/source{described or ''}"
        )
    tracking = arguments.get("tracking_uri", "")
    if tracking and LOOPBACK.fullmatch(urlsplit(tracking).hostname or ""):
        raise UsageError(
            f"tracking_uri={tracking}: on a cluster that is the step itself; give the address that "
            "MLflow has there, as in http://mlflow.mlflow.svc.cluster.local:5000"
        )
    champion = arguments.get("champion_uri", "")
    if champion and not re.match("|".join(STORES), champion):
        raise UsageError(
            f"champion_uri={champion}: give an address that the cluster reads: s3://…, minio://… "
            "or gs://…"
        )
