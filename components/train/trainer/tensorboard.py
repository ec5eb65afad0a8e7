"""What ``tensorboard --logdir`` shows of a run."""

from typing import Final

import tensorflow as tf

from .outputs import Folder
from .plan import Epoch

# What tf.summary.scalar writes, which needs the package tensorboard to do so.
SCALAR: Final = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
    data_class="DATA_CLASS_SCALAR",
)


class Log:
    """Writes the learning curve, a point an epoch.

    Args:
        folder: Of the log; the points are under ``train`` and ``validation`` there.
        steps_per_epoch: The step of the first point.
    """

    def __init__(self, folder: Folder, steps_per_epoch: int) -> None:
        self._folder = folder
        folder.fetch()  # What the run logged before it was interrupted stays.
        self._steps_per_epoch = steps_per_epoch
        self._writers = {
            split: tf.summary.create_file_writer(str(folder.path / split))
            for split in ("train", "validation")
        }

    def write(self, row: Epoch) -> None:
        """Adds the points of an epoch.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        figures: dict[str, dict[str, float | None]] = {
            "train": {
                "epoch_loss": row.loss,
                "epoch_accuracy": row.accuracy,
                "learning_rate": row.learning_rate,
                "seconds": row.seconds,
            },
            "validation": {
                "epoch_loss": row.validation_loss,
                "epoch_accuracy": row.validation_accuracy,
            },
        }
        for split, values in figures.items():
            with self._writers[split].as_default(step=row.epoch * self._steps_per_epoch):
                for name, value in values.items():
                    if value is not None:
                        tf.summary.write(name, tf.constant(value, tf.float32), metadata=SCALAR)
            self._writers[split].flush()
        self._folder.publish()
