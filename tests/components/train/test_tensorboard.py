"""The log as TensorBoard itself reads it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from components.train.trainer.tensorboard import MOST, confusion_table
from tests.idx_files import FASHION

STEPS = [10, 20, 25]
"""At the ends of the epochs: 320 examples are ten batches, and the last epoch is short."""


def read(log: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(log))
    accumulator.Reload()
    return accumulator


def points(log: Path, tag: str) -> dict[int, Any]:
    return {event.step: tf.make_ndarray(event.tensor_proto)[()] for event in read(log).Tensors(tag)}


def test_curves_are_scalars_and_the_confusion_matrix_is_a_text(finished: Path) -> None:
    rows = json.loads((finished / "history.json").read_text())["epochs"]
    log = finished / "logs"
    expected = {
        "train/epoch_loss": [row["loss"] for row in rows],
        "train/epoch_accuracy": [row["accuracy"] for row in rows],
        "train/learning_rate": [row["learning_rate"] for row in rows],
        "train/seconds": [row["seconds"] for row in rows],
        "train/images_per_second": [
            steps * 32 / row["seconds"] for steps, row in zip((10, 10, 5), rows, strict=True)
        ],
        "validation/epoch_loss": [row["validation_loss"] for row in rows],
        "validation/epoch_accuracy": [row["validation_accuracy"] for row in rows],
    }
    for split in ("train", "validation"):
        found = {f"{split}/{tag}" for tag in read(log / split).PluginTagToContent("scalars")}
        assert found == {name for name in expected if name.startswith(f"{split}/")}
    for name, values in expected.items():
        found_points = points(log / name.split("/")[0], name.split("/")[1])
        assert found_points == pytest.approx(dict(zip(STEPS, values, strict=True))), name
    assert list(read(log / "validation").PluginTagToContent("text")) == ["confusion_matrix"]
    for text, row in zip(
        points(log / "validation", "confusion_matrix").values(), rows, strict=True
    ):
        right = sum(map(int, re.findall(r"\*\*(\d+)\*\*", text.decode())))
        assert right / 60 == pytest.approx(row["validation_accuracy"])


def test_the_table_has_a_row_for_each_true_class() -> None:
    counts = np.diag(np.arange(10))
    counts[3, 6] = 42
    head, _, *rows = confusion_table(counts, FASHION.classes).splitlines()
    assert all(name in head for name in FASHION.classes)
    assert rows[3] == "| Dress |  |  |  | **3** |  |  | 42 |  |  |  |"
    assert [row.split(" | ")[0] for row in rows] == [f"| {name}" for name in FASHION.classes]


def test_of_many_classes_the_table_lists_those_that_are_confused_most() -> None:
    counts = np.diag(np.full(200, 9))
    counts[3, 6], counts[199, 0] = 1, 7
    names = [f"a|{number}" for number in range(200)]
    _, _, *rows = confusion_table(counts, names).splitlines()
    assert rows == [r"| a\|199 | a\|0 | 7 |", r"| a\|3 | a\|6 | 1 |"]
    counts[:] = np.random.default_rng(0).integers(0, 9, counts.shape)
    assert len(confusion_table(counts, names).splitlines()) == 2 + MOST
