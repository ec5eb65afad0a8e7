"""Which devices and workers train: ``tf.distribute``, chosen from TF_CONFIG and the devices."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.dataset.startup import direct_loopback

from .outputs import Folder, Outputs
from .tf_config import clean


def choose(environment: MutableMapping[str, str] = os.environ) -> Any:
    """The strategy for this process.

    Several workers in TF_CONFIG: ``MultiWorkerMirroredStrategy``; several GPUs:
    ``MirroredStrategy``; otherwise TensorFlow's default. Cleans TF_CONFIG first, and lets
    TensorFlow reach workers of this machine without a proxy: it would wait for them.

    Raises:
        ClusterError: As ``tf_config.clean``.
    """
    if clean(environment) > 1:
        environment.update(direct_loopback(environment))
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


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
