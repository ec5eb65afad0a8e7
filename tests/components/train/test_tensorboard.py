"""The log as TensorBoard itself reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from components.train.trainer import checkpoints, confusion, job
from components.train.trainer.outputs import Outputs
from components.train.trainer.splits import Split
from components.train.trainer.util import Hyperparameters
from pipeline.local import emulator

SMALL = Hyperparameters(filters=(4, 8), dense_units=16, batch_size=32, train_steps=25)
STEPS = [10, 20, 25]
"""Of the ends of the epochs: 320 examples are ten batches, and the last epoch is short."""


def run(train: Split, validation: Split, directory: str | Path, scratch: Path) -> dict[str, Any]:
    outputs = Outputs.of_job(str(directory), {}, scratch)
    return job.run(train, validation, SMALL, outputs).history


@pytest.fixture(scope="module")
def logged(
    train: Split, validation: Split, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of a run's log, and the rows of its history."""
    directory = tmp_path_factory.mktemp("job")
    return directory / "logs", run(train, validation, directory, directory)["epochs"]


def read(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def points(folder: Path, tag: str) -> dict[int, float]:
    return {
        event.step: float(tf.make_ndarray(event.tensor_proto))
        for event in read(folder).Tensors(tag)
    }


def test_the_curves_are_those_of_the_history(logged: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, rows = logged
    for split, tag, name in (
        ("train", "epoch_loss", "loss"),
        ("train", "epoch_accuracy", "accuracy"),
        ("train", "learning_rate", "learning_rate"),
        ("train", "seconds", "seconds"),
        ("validation", "epoch_loss", "validation_loss"),
        ("validation", "epoch_accuracy", "validation_accuracy"),
    ):
        found = points(folder / split, tag)
        assert list(found) == STEPS
        assert list(found.values()) == pytest.approx([row[name] for row in rows]), tag


def test_the_throughput_is_that_of_the_steps_of_the_epoch(
    logged: tuple[Path, list[dict[str, Any]]],
) -> None:
    folder, rows = logged
    images = [count * 32 / row["seconds"] for count, row in zip((10, 10, 5), rows, strict=True)]
    assert list(points(folder / "train", "images_per_second").values()) == pytest.approx(images)


def test_nothing_else_is_logged_and_each_under_the_plugin_that_shows_it(
    logged: tuple[Path, list[dict[str, Any]]],
) -> None:
    folder, _ = logged
    found: dict[str, Mapping[str, Any]] = {}
    for split in ("train", "validation"):
        log = read(folder / split)
        for plugin in ("scalars", "images"):
            found[f"{split} {plugin}"] = log.PluginTagToContent(plugin) if has(log, plugin) else {}
    assert {name: sorted(tags) for name, tags in found.items()} == {
        "train scalars": [
            "epoch_accuracy",
            "epoch_loss",
            "images_per_second",
            "learning_rate",
            "seconds",
        ],
        "train images": [],
        "validation scalars": ["epoch_accuracy", "epoch_loss"],
        "validation images": ["confusion_matrix"],
    }


def has(log: EventAccumulator, plugin: str) -> bool:
    try:
        return bool(log.PluginTagToContent(plugin))
    except KeyError:
        return False


def test_each_epoch_has_a_picture_of_its_confusion_matrix(
    logged: tuple[Path, list[dict[str, Any]]],
) -> None:
    folder, _ = logged
    events = read(folder / "validation").Tensors("confusion_matrix")
    assert [event.step for event in events] == STEPS
    for event in events:
        width, height, png = tf.make_ndarray(event.tensor_proto).tolist()
        picture = tf.io.decode_png(png).numpy()
        assert picture.shape == (int(height), int(width), 3) == (440, 440, 3)
        assert len(np.unique(picture)) > 3
    assert (
        "true class"
        in read(folder / "validation").SummaryMetadata("confusion_matrix").summary_description
    )


def test_the_matrix_counts_every_validated_example_by_its_true_class(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    draw = confusion.draw

    def remember(counts: Any, images: Any, labels: Any) -> Any:
        seen.append((counts.copy(), labels))
        return draw(counts, images, labels)

    monkeypatch.setattr(confusion, "draw", remember)
    rows = run(train, validation, tmp_path, tmp_path)["epochs"]
    for (counts, labels), row in zip(seen, rows, strict=True):
        assert counts.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
        assert counts.trace() / 60 == pytest.approx(row["validation_accuracy"])


def test_a_run_that_goes_on_adds_to_the_log_in_the_bucket(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = interrupted(train, validation, tmp_path, monkeypatch, forget_logs=False)
    accuracy = points(tmp_path / "logs" / "validation", "epoch_accuracy")
    assert accuracy == pytest.approx(expected(rows))
    pictures = read(tmp_path / "logs" / "validation").Tensors("confusion_matrix")
    assert [event.step for event in pictures] == STEPS


def test_a_run_that_goes_on_with_a_new_log_begins_it_with_the_curve_so_far(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = interrupted(train, validation, tmp_path, monkeypatch, forget_logs=True)
    accuracy = points(tmp_path / "logs" / "validation", "epoch_accuracy")
    assert accuracy == pytest.approx(expected(rows))
    pictures = read(tmp_path / "logs" / "validation").Tensors("confusion_matrix")
    assert [event.step for event in pictures] == STEPS[1:]


def expected(rows: list[dict[str, Any]]) -> dict[int, float]:
    return {step: row["validation_accuracy"] for step, row in zip(STEPS, rows, strict=True)}


def interrupted(
    train: Split,
    validation: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    forget_logs: bool,
) -> list[dict[str, Any]]:
    """A run in the bucket that ends after its first epoch and goes on on a new machine."""
    from components.dataset import folder

    save = checkpoints.Checkpoints.save

    def stop(self: checkpoints.Checkpoints) -> None:
        save(self)
        raise InterruptedError

    address = f"gs://{emulator.LOCAL_BUCKET}/job"
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        with monkeypatch.context() as patch, pytest.raises(InterruptedError):
            patch.setattr(checkpoints.Checkpoints, "save", stop)
            run(train, validation, address, tmp_path / "first")
        if forget_logs:
            folder.remove(f"{address}/logs")
        rows: list[dict[str, Any]] = run(train, validation, address, tmp_path / "second")["epochs"]
        folder.fetch(f"{address}/logs", tmp_path / "logs")
    return rows


def test_a_run_that_is_done_writes_a_log_that_is_not_there(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.dataset import folder

    address = f"gs://{emulator.LOCAL_BUCKET}/job"
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        run(train, validation, address, tmp_path / "first")
        folder.remove(f"{address}/logs")
        rows = run(train, validation, address, tmp_path / "second")["epochs"]
        folder.fetch(f"{address}/logs", tmp_path / "logs")
    accuracy = points(tmp_path / "logs" / "validation", "epoch_accuracy")
    assert accuracy == pytest.approx(expected(rows))
