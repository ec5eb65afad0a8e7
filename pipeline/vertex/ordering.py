"""From the options of ``submit`` to what is asked of Vertex AI, all of it checked."""

import dataclasses
import datetime
import re
from pathlib import Path
from typing import Any, Final

import yaml

from pipeline.checkout import git_revision
from pipeline.errors import UsageError
from pipeline.runs.record import new_run_id
from pipeline.specs import spec as specs
from pipeline.specs.machine import Machine, requested
from pipeline.specs.spec import Spec
from pipeline.vertex import buckets, labels, submission
from pipeline.vertex.submission import Submission
from pipeline.vertex.target import Target

IMAGE: Final = re.compile(r"[a-z0-9.-]+(?::\d+)?/[\w./-]+(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")
NETWORK: Final = re.compile(r"projects/\d+/global/networks/[a-z0-9-]+")
KEY: Final = re.compile(
    r"projects/[^/]+/locations/(?P<region>[^/]+)/keyRings/[\w-]+/cryptoKeys/[\w-]+"
)
ACCOUNT: Final = re.compile(r"[^@\s]+@[a-z0-9.-]+\.gserviceaccount\.com")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of ``submit`` that say what runs and as what, as they were given.

    Attributes:
        bucket: ``--bucket``.
        parameters: ``-p`` and ``--source``, as ``name=value``.
        preset: ``--preset``.
        spec: ``--spec``.
        image: ``--image``.
        accelerator: ``--accelerator``.
        machine_type: ``--machine-type``.
        replicas: ``--replicas``.
        spot: ``--spot``.
        service_account: ``--service-account``.
        network: ``--network``.
        key: ``--encryption-key``.
        labels: ``--label``, as ``key=value``.
        no_cache: ``--no-cache``.
    """

    bucket: str
    parameters: tuple[str, ...] = ()
    preset: str | None = None
    spec: Path | None = None
    image: str = ""
    accelerator: str | None = None
    machine_type: str | None = None
    replicas: int | None = None
    spot: bool = False
    service_account: str = ""
    network: str = ""
    key: str = ""
    labels: tuple[str, ...] = ()
    no_cache: bool = False


def order(options: Options, target: Target) -> tuple[Submission, str]:
    """What the options ask for.

    Returns:
        What to send, and the difference of its spec to the committed file; empty where there is
        none.

    Raises:
        UsageError: An option's value is wrong, or the committed file is stale.
    """
    from pipeline.specs import parameters

    bucket = buckets.checked(options.bucket)
    own = labels.parse(options.labels)
    _check_names(options, target)
    spec, difference = _spec(options)
    revision = git_revision()
    given = parameters.parse(options.parameters, spec)
    submission.check_source(given.get("source", ""))
    own = {"bucket_uri": submission.bucket_uri(bucket), "git_revision": revision}
    complete = parameters.resolve(spec, given, preset=options.preset, own=own)
    values = {
        name: complete[name]
        for name in complete
        if name in own | given or name == parameters.STRUCT
    }
    _check_batch(_machine(options), parameters.flat(complete))
    return Submission(
        target=target,
        job_id=new_run_id(spec["pipelineInfo"]["name"], datetime.datetime.now(tz=datetime.UTC)),
        bucket=bucket,
        spec=spec,
        parameters=values,
        labels={**own, **labels.of_checkout(revision)},
        service_account=options.service_account,
        network=options.network,
        key=options.key,
        use_cache=not options.no_cache,
    ), difference


def _machine(options: Options) -> Machine | None:
    return requested(options.accelerator, options.machine_type, options.replicas, spot=options.spot)


def _spec(options: Options) -> tuple[Spec, str]:
    from pipeline import compiler

    machine = _machine(options)
    if options.image and not IMAGE.fullmatch(options.image):
        raise UsageError(
            f"--image {options.image}: give the image with its registry, "
            "as in europe-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…"
        )
    if options.spec is not None:
        if machine or options.image:
            raise UsageError("--spec: a compiled file has its machines and image already")
        if not options.spec.is_file():
            raise UsageError(f"--spec {options.spec}: there is no such file")
        spec = specs.load(options.spec)
        return spec, compiler.difference(compiler.COMPILED, compiler.PIPELINE, spec)
    compiler.check()
    if machine is None and not options.image:
        return specs.load(compiler.COMPILED / compiler.PIPELINE), ""
    spec = yaml.safe_load(submission.spec_text(machine, options.image))
    committed = compiler.PIPELINE if machine is None else compiler.DISTRIBUTED_PIPELINE
    return spec, compiler.difference(compiler.COMPILED, committed, spec)


def _check_batch(machine: Machine | None, values: dict[str, Any]) -> None:
    size = values.get("batch_size")
    if machine and isinstance(size, int) and size % machine.replicas:
        raise UsageError(
            f"--replicas {machine.replicas}: batch_size is {size}, and must be a multiple of it"
        )


def _check_names(options: Options, target: Target) -> None:
    if options.service_account and not ACCOUNT.fullmatch(options.service_account):
        raise UsageError(
            f"--service-account {options.service_account}: give its address, as in "
            f"pipeline@{target.project}.iam.gserviceaccount.com"
        )
    if options.network and not NETWORK.fullmatch(options.network):
        raise UsageError(
            f"--network {options.network}: give projects/NUMBER/global/networks/NAME, with the "
            f"project's number (`gcloud projects describe {target.project} "
            "--format='value(projectNumber)'`)"
        )
    if options.key:
        found = KEY.fullmatch(options.key)
        if found is None:
            raise UsageError(
                f"--encryption-key {options.key}: give "
                "projects/…/locations/…/keyRings/…/cryptoKeys/…"
            )
        if found["region"] != target.region:
            raise UsageError(
                f"--encryption-key: the key is in {found['region']}, and the run in "
                f"{target.region}; the two must be the same"
            )
