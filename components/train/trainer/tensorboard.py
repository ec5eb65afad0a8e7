"""What ``tensorboard --logdir`` shows of a training."""

import shutil
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.dataset.facts import CLASS_NAMES

from .outputs import Folder
from .progress import Epoch
from .training import Training


def _metadata(plugin: str, data_class: str) -> Any:
    # What tf.summary.scalar and text write; they need the package tensorboard to do so.
    kind = tf.compat.v1.SummaryMetadata
    return kind(plugin_data=kind.PluginData(plugin_name=plugin), data_class=data_class)


SCALAR: Final = _metadata("scalars", "DATA_CLASS_SCALAR")
TEXT: Final = _metadata("text", "DATA_CLASS_TENSOR")


class Log:
    """The learning curve, a point for each epoch, and the confusion matrix as a table.

    They are in ``train`` and ``validation`` in the folder. It replaces a log that is there, and
    starts with the curve that the training has from a checkpoint. Methods raise BucketError if a
    bucket is missing, refuses, or cannot be reached.

    Args:
        folder: Of the log.
        training: The training.
    """

    def __init__(self, folder: Folder, training: Training) -> None:
        folder.fetch()
        self._folder = folder
        self._training = training
        self._writers = {}
        for split in ("train", "validation"):
            shutil.rmtree(folder.path / split, ignore_errors=True)
            self._writers[split] = tf.summary.create_file_writer(str(folder.path / split))
        for row in training.curve:
            self._add(row)
        if training.curve:
            self._publish()

    def write(self, row: Epoch) -> None:
        """Adds the epoch that has just ended."""
        self._add(row)
        if self._training.validation is not None:
            with self._at(row, "validation"):
                table = confusion_table(self._training.confusion)
                tf.summary.write("confusion_matrix", tf.constant(table), metadata=TEXT)
        self._publish()

    def _publish(self) -> None:
        for writer in self._writers.values():
            writer.flush()
        self._folder.publish()

    def _add(self, row: Epoch) -> None:
        plan = self._training.plan
        steps = plan.last_step(row.epoch) - plan.last_step(row.epoch - 1)
        figures: dict[str, dict[str, float | None]] = {
            "train": {
                "epoch_loss": row.loss,
                "epoch_accuracy": row.accuracy,
                "learning_rate": row.learning_rate,
                "seconds": row.seconds,
                "images_per_second": steps * plan.batch_size / row.seconds,
            },
            "validation": {
                "epoch_loss": row.validation_loss,
                "epoch_accuracy": row.validation_accuracy,
            },
        }
        for split, values in figures.items():
            with self._at(row, split):
                for name, value in values.items():
                    if value is not None:
                        tf.summary.write(name, tf.constant(value, tf.float32), metadata=SCALAR)

    def _at(self, row: Epoch, split: str) -> Any:
        return self._writers[split].as_default(step=self._training.plan.last_step(row.epoch))


def confusion_table(counts: NDArray[np.int_]) -> str:
    """A Markdown table of a confusion matrix, int [10, 10] by true and predicted class."""
    head = ["true \\ predicted", *CLASS_NAMES]
    rows = [
        [name, *(f"**{count}**" if column == row else str(count or "") for column, count in cells)]
        for row, (name, cells) in enumerate(zip(CLASS_NAMES, map(enumerate, counts), strict=True))
    ]
    lines = [head, ["---", *("---:" for _ in CLASS_NAMES)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
