"""Which devices and workers train: ``tf.distribute``, chosen from TF_CONFIG and the devices."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from components.dataset.errors import StepError
from components.dataset.startup import direct_loopback

from .outputs import Folder, Outputs

TF_CONFIG: Final = "TF_CONFIG"


class ClusterError(StepError):
    """A TF_CONFIG that does not describe a cluster to train on."""


def choose(environment: MutableMapping[str, str] = os.environ) -> Any:
    """The strategy for this process.

    Several workers in TF_CONFIG: ``MultiWorkerMirroredStrategy``; several GPUs:
    ``MirroredStrategy``; otherwise TensorFlow's default. Cleans TF_CONFIG first: TensorFlow
    crashes at a job without tasks, which gcloud's local runner writes. It would also wait for
    workers of this machine behind a proxy.

    Raises:
        ClusterError: TF_CONFIG is not JSON, has parameter servers, or names a task that its cluster
            does not have.
    """
    if clean(environment) > 1:
        environment.update(direct_loopback(environment))
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def clean(environment: MutableMapping[str, str]) -> int:
    """Removes empty jobs from TF_CONFIG, or the whole variable if no cluster is left.

    Returns the number of workers, including the chief; 1 without a cluster.
    """
    text = environment.get(TF_CONFIG) or "{}"
    try:
        config = json.loads(text)
        cluster = {job: tasks for job, tasks in config.get("cluster", {}).items() if tasks}
    except (ValueError, AttributeError) as error:
        raise ClusterError(f"TF_CONFIG is {text!r}, which does not describe a cluster") from error
    if "ps" in cluster:
        raise ClusterError(
            "TF_CONFIG has parameter servers, which this trainer does not use; start it without "
            "them (gcloud's option: --parameter-server-count 0)"
        )
    count = sum(len(cluster.get(job, [])) for job in ("chief", "master", "worker"))
    if count < 2:
        environment.pop(TF_CONFIG, None)
        return 1
    task = config.get("task") or {}
    if task.get("index", -1) not in range(len(cluster.get(task.get("type"), []))):
        raise ClusterError(f"TF_CONFIG names the task {task!r}, which its cluster does not have")
    if "master" in cluster:
        cluster["chief"] = cluster.pop("master")
        if task["type"] == "master":
            task["type"] = "chief"
    environment[TF_CONFIG] = json.dumps({"cluster": cluster, "task": task})
    return count


def is_chief(strategy: Any) -> bool:
    """Whether this process writes what all workers have made together."""
    return bool(strategy.extended.should_checkpoint)


def meet(strategy: Any) -> None:
    """Waits until all workers are here: the others would count one that has ended as lost."""

    def together() -> Any:
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(1.0))

    if strategy.num_replicas_in_sync > 1:
        strategy.run(tf.function(together))


@contextlib.contextmanager
def written_once(strategy: Any, outputs: Outputs) -> Iterator[Outputs]:
    """The folders that this process writes: the training's own if it is the chief.

    The other workers take part in everything that is written, since all of them read the
    statistics of batch normalization together; what they write is removed.
    """
    if is_chief(strategy):
        yield outputs
        return
    with tempfile.TemporaryDirectory(prefix="worker-") as scratch:
        yield Outputs(Folder(Path(scratch) / "model"), Folder(Path(scratch) / "checkpoints"))
