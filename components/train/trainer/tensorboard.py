"""What ``tensorboard --logdir`` shows of a run."""

from typing import Any, Final

import tensorflow as tf

from . import confusion
from .outputs import Folder
from .plan import Epoch
from .training import Training


def _metadata(plugin: str, data_class: str, description: str = "") -> Any:
    # What tf.summary.scalar and image write, which need the package tensorboard to do so.
    kind = tf.compat.v1.SummaryMetadata
    return kind(
        plugin_data=kind.PluginData(plugin_name=plugin),
        data_class=data_class,
        summary_description=description,
    )


SCALAR: Final = _metadata("scalars", "DATA_CLASS_SCALAR")
IMAGE: Final = _metadata(
    "images",
    "DATA_CLASS_BLOB_SEQUENCE",
    "A row for each true class, a column for each predicted one.",
)


class Log:
    """Writes the learning curve, a point an epoch, and a picture of the confusion matrix.

    They are under ``train`` and ``validation`` in the folder. A log that is there already is
    gone on with; a new one begins with what the run's curve has from a checkpoint.

    Args:
        folder: Of the log.
        training: The run.

    Raises:
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """

    def __init__(self, folder: Folder, training: Training) -> None:
        folder.fetch()
        begun = any(folder.path.rglob("events.*"))
        self._folder = folder
        self._training = training
        self._writers = {
            split: tf.summary.create_file_writer(str(folder.path / split))
            for split in ("train", "validation")
        }
        if training.curve and not begun:
            for row in training.curve:
                self._add(row)
            self._publish()

    def write(self, row: Epoch) -> None:
        """Adds the points of the epoch that has just ended.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        self._add(row)
        if (validation := self._training.validation) is not None:
            picture = confusion.draw(self._training.confusion, *validation)
            height, width, _ = map(str, picture.shape)
            png = tf.io.encode_png(picture)
            with self._at(row, "validation"):
                tf.summary.write("confusion_matrix", tf.stack([width, height, png]), metadata=IMAGE)
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
