"""What ``tensorboard --logdir`` shows of a training."""

import shutil
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .outputs import Folder
from .progress import Epoch
from .training import Training


def _metadata(plugin: str, data_class: str) -> Any:
    # What tf.summary.scalar and text write; they need the package tensorboard to do so.
    kind = tf.compat.v1.SummaryMetadata
    return kind(plugin_data=kind.PluginData(plugin_name=plugin), data_class=data_class)


SCALAR: Final = _metadata("scalars", "DATA_CLASS_SCALAR")
TEXT: Final = _metadata("text", "DATA_CLASS_TENSOR")
MOST: Final = 50
"""Classes of a confusion matrix that is shown as a table; rows of the list of a larger one."""


def open_log(folder: Folder, training: Training, classes: Sequence[str]) -> Callable[[], None]:
    """Starts the log of a training: a point for each epoch in ``train`` and ``validation``.

    It replaces a log that is there, and starts with the curve that the training has from a
    checkpoint.

    Returns:
        What adds the epoch that has just ended, and its confusion matrix as a table.

    Raises:
        BucketError: A bucket is missing, refuses, or cannot be reached; also when it writes.
    """
    folder.fetch()
    writers = {}
    for split in ("train", "validation"):
        shutil.rmtree(folder.path / split, ignore_errors=True)
        writers[split] = tf.summary.create_file_writer(str(folder.path / split))

    def add(row: Epoch) -> int:
        step = training.plan.last_step(row.epoch)
        steps = step - training.plan.last_step(row.epoch - 1)
        _write(
            writers["train"].as_default(step),
            epoch_loss=row.loss,
            epoch_accuracy=row.accuracy,
            learning_rate=row.learning_rate,
            seconds=row.seconds,
            images_per_second=steps * training.plan.batch_size / row.seconds,
        )
        _write(
            writers["validation"].as_default(step),
            epoch_loss=row.validation_loss,
            epoch_accuracy=row.validation_accuracy,
        )
        return step

    def write() -> None:
        step = add(training.curve[-1])
        if training.validation is not None:
            with writers["validation"].as_default(step):
                table = tf.constant(confusion_table(training.confusion, classes))
                tf.summary.write("confusion_matrix", table, metadata=TEXT)
        for writer in writers.values():
            writer.flush()
        folder.publish()

    for row in training.curve:
        add(row)
    return write


def _write(writer: Any, **figures: float | None) -> None:
    with writer:
        for name, value in figures.items():
            if value is not None:
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=SCALAR)


def confusion_table(counts: NDArray[np.int_], classes: Sequence[str]) -> str:
    """A Markdown table of a confusion matrix, int [classes, classes] by true and predicted class.

    With more than ``MOST`` classes it lists the classes that are confused most instead.
    """
    names = [name.replace("|", "\\|") for name in classes]
    if len(names) > MOST:
        wrong = counts - np.diag(np.diag(counts))
        order = np.argsort(-wrong, axis=None, kind="stable")[:MOST]
        pairs = [divmod(int(place), len(names)) for place in order if wrong.flat[place]]
        lines = [["true", "predicted", "examples"], ["---", "---", "---:"]]
        lines += [[names[true], names[other], str(wrong[true, other])] for true, other in pairs]
    else:
        lines = [["true \\ predicted", *names], ["---", *("---:" for _ in names)]]
        for row, name in enumerate(names):
            cells = [str(count or "") for count in counts[row]]
            cells[row] = f"**{counts[row][row]}**"
            lines.append([name, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
