"""TF_CONFIG: the workers of a training, and which of them this process is."""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from components.dataset.errors import StepError

TF_CONFIG: Final = "TF_CONFIG"
EVALUATOR: Final = "evaluator"
WORKERS: Final = ("chief", "master", "worker")
"""The jobs whose tasks train; ``master`` is an older name of the chief."""


class ClusterError(StepError):
    """A TF_CONFIG that does not describe a cluster to train on."""


def is_evaluator(environment: Mapping[str, str]) -> bool:
    """Whether this process is the evaluator, for which there is nothing to do.

    Raises:
        ClusterError: As ``clean``.
    """
    return bool(_read(environment)[1].get("type") == EVALUATOR)


def clean(environment: MutableMapping[str, str]) -> int:
    """Leaves the workers alone in TF_CONFIG, or removes it where there are not several.

    TensorFlow crashes at a job without tasks, which gcloud's local runner writes.

    Returns:
        The number of workers, including the chief; 1 without a cluster.

    Raises:
        ClusterError: TF_CONFIG is not JSON, has parameter servers, or names a task that is none of
            its cluster's workers.
    """
    cluster, task = _read(environment)
    workers: dict[str, list[str]] = {job: cluster[job] for job in WORKERS if job in cluster}
    count = sum(map(len, workers.values()))
    kind, index = str(task.get("type", "")), task.get("index", -1)
    if (kind or count > 1) and index not in range(len(workers.get(kind, []))):
        raise ClusterError(
            f"TF_CONFIG names the task {json.dumps(task)}, which is none of its cluster's workers "
            f"{json.dumps(workers)}; correct it"
        )
    if count < 2:
        environment.pop(TF_CONFIG, None)
        return 1
    if "master" in workers:
        workers["chief"] = workers.pop("master")
        task["type"] = "chief" if kind == "master" else kind
    environment[TF_CONFIG] = json.dumps({"cluster": workers, "task": task})
    return count


def _read(environment: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The jobs that have tasks, and the task of this process; both empty without TF_CONFIG."""
    text = environment.get(TF_CONFIG) or "{}"
    try:
        config = json.loads(text)
        cluster = {job: tasks for job, tasks in (config.get("cluster") or {}).items() if tasks}
        task = dict(config.get("task") or {})
        if not all(isinstance(tasks, list) for tasks in cluster.values()):
            raise TypeError(cluster)
    except (ValueError, TypeError, AttributeError) as error:
        raise ClusterError(f"TF_CONFIG is {text!r}, which does not describe a cluster") from error
    if "ps" in cluster:
        raise ClusterError(
            "TF_CONFIG has parameter servers, which this trainer does not use; start it without "
            "them (gcloud's option: --parameter-server-count 0)"
        )
    return cluster, task
