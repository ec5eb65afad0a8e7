"""What a compiled spec must have changed to run outside Google Cloud, and nothing else."""

import hashlib
from pathlib import Path
from typing import Final

from components.dataset.startup import PINS
from pipeline.local import cluster
from pipeline.specs import shared_code, worker_pools
from pipeline.specs import spec as specs
from pipeline.specs.spec import Spec

RUN_IDS: Final = ("{{$.pipeline_job_name}}", "{{$.pipeline_job_uuid}}")
"""Names and ids of a job; kfp.local would make up the second, eight digits."""
PLACEHOLDERS: Final = {
    "{{$.pipeline_google_cloud_project_id}}": "local",
    "{{$.pipeline_google_cloud_location}}": "local",
    "{{$.pipeline_encryption_key_name}}": "",
    "{{$.pipeline_service_account}}": "",
    "{{$.pipeline_network}}": "",
    "{{$.pipeline_persistent_resource_id}}": "",
}
"""What Vertex AI fills in; a local run has no project, region, key, account or network."""
CLUSTER: Final = str(Path(cluster.__file__).resolve())


def localize(spec: Spec, job_name: str, *, keep_preamble: bool) -> tuple[Spec, frozenset[str]]:
    """The changed spec, and the component names of the stand-ins.

    Code that the steps share is in each step's own command, so that the cache of one step does not
    depend on the code of another. The ``pip install`` of each step becomes a variable unless
    ``keep_preamble``; steps that exist only in Google Cloud get stand-ins; a CustomJob becomes as
    many processes as it has replicas; Vertex AI's placeholders get values.
    """
    from pipeline.local.stand_ins import stand_in_for

    stand_ins: set[str] = set()
    spec = shared_code.separate(spec)

    def replace(label: str, container: Spec) -> Spec:
        if (pools := worker_pools.read(container)) is not None:
            return _as_processes(pools, keep_preamble=keep_preamble)
        if (stand_in := stand_in_for(container)) is not None:
            stand_ins.add(label.removeprefix("exec-"))
            return specs.strip_preamble(stand_in)
        return container if keep_preamble else _drop_preamble(container)

    def fill(text: str) -> str:
        for placeholder, value in {**PLACEHOLDERS, **dict.fromkeys(RUN_IDS, job_name)}.items():
            text = text.replace(placeholder, value)
        return text

    return specs.map_strings(specs.map_containers(spec, replace), fill), frozenset(stand_ins)


def _as_processes(pools: worker_pools.Pools, *, keep_preamble: bool) -> Spec:
    """The container that runs the workers of a CustomJob as processes of this machine."""
    whole = worker_pools.alone(pools)
    bare = specs.strip_preamble(whole) if keep_preamble else _drop_preamble(whole)
    preamble = _preamble(whole) if keep_preamble else []
    # -P: modules of the script's folder must not be found as top-level modules.
    run = ["python3", "-P", CLUSTER, "--replicas", str(worker_pools.replicas(pools)), "--"]
    return {**bare, "command": [*preamble, *run, *bare["command"]]}


def _drop_preamble(container: Spec) -> Spec:
    """The container without its ``pip install``, whose digest becomes a variable.

    kfp.local's cache key includes a step's variables: a cached output comes from the same pins.
    """
    if not (preamble := _preamble(container)):
        return container
    digest = hashlib.sha256("\0".join(preamble).encode()).hexdigest()
    env = [*container.get("env", []), {"name": PINS, "value": digest}]
    return {**specs.strip_preamble(container), "env": env}


def _preamble(container: Spec) -> list[str]:
    command: list[str] = container.get("command", [])
    kept = specs.strip_preamble(container).get("command", [])
    return command[: len(command) - len(kept)]
