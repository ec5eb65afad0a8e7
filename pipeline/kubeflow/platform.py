"""The part of a request about Kubernetes: pull secrets, nodes, tolerations, secrets as variables.

It is made when a run is submitted and never in ``compiled/``: Vertex AI refuses such a file.
"""

import re
import types
from collections.abc import Iterator
from typing import Any, Final

from pipeline.kubeflow.machine import NVIDIA, Gpus
from pipeline.specs.spec import Spec

EFFECTS: Final = "NoSchedule|PreferNoSchedule|NoExecute"
SUBDOMAIN: Final = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
LABEL: Final = rf"({SUBDOMAIN}/)?[A-Za-z0-9]([\w.-]{{0,61}}[A-Za-z0-9])?"
VALUE: Final = r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?"
TOLERATION: Final = re.compile(rf"(?P<key>{LABEL})(=(?P<value>{VALUE}))?(:(?P<effect>{EFFECTS}))?")
SECRET: Final = re.compile(rf"(?P<secret>{SUBDOMAIN}):(?P<key>[\w.-]+)=(?P<variable>[A-Za-z_]\w*)")


def platform(options: Any, gpus: Gpus | None, spec: Spec) -> dict[str, Any]:
    """The platform spec that the options describe; empty without one of them.

    Node selectors and tolerations are for every step, or with ``gpus`` for the training alone.
    """
    configs = {}
    for label, step in _steps(spec):
        task = types.SimpleNamespace(platform_config={})
        _configure(task, options, gpus, step)
        if task.platform_config:
            configs[label] = task.platform_config["kubernetes"]
    return (
        {"platforms": {"kubernetes": {"deploymentSpec": {"executors": configs}}}} if configs else {}
    )


def _configure(task: Any, options: Any, gpus: Gpus | None, step: str) -> None:
    """Adds to ``task.platform_config`` what the options want of a step."""
    from kfp import kubernetes

    if options.image_pull_secret:
        kubernetes.set_image_pull_secrets(task, list(options.image_pull_secret))
    for text in options.secret_env or ():
        secret, key, variable = re.split("[:=]", text)
        kubernetes.use_secret_as_env(task, secret, {key: variable})
    if gpus and step != "train":
        return
    if gpus:
        for key in sorted({NVIDIA, gpus.resource}):
            kubernetes.add_toleration(task, key=key, operator="Exists", effect="NoSchedule")
    for text in options.node_selector or ():
        key, _, value = text.partition("=")
        kubernetes.add_node_selector(task, key, value)
    for text in options.toleration or ():
        found = TOLERATION.fullmatch(text)
        assert found  # noqa: S101 - the form of the option was checked
        kubernetes.add_toleration(
            task,
            key=found["key"],
            operator="Exists" if found["value"] is None else "Equal",
            value=found["value"],
            effect=found["effect"],
        )


def _steps(spec: Spec) -> Iterator[tuple[str, str]]:
    """The label of each container's executor, and its step."""
    for name, component in spec["components"].items():
        label = component.get("executorLabel")
        if label and "container" in spec["deploymentSpec"]["executors"][label]:
            yield label, name.removeprefix("comp-").replace("-", "_")
