import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.dataset.manifest import content_digest, read_manifest
from components.train.trainer import checkpoints, history, job
from components.train.trainer.checkpoints import CheckpointError
from components.train.trainer.outputs import Folder, Outputs
from components.train.trainer.splits import Split
from components.train.trainer.util import Hyperparameters

SMALL = Hyperparameters(
    filters=(4, 8), dense_units=16, batch_size=32, epochs=3, dropout=0.2, augmentation="flip+shift"
)


class Stopped(Exception):
    """Stands for the end of the process."""


def outputs(directory: Path) -> Outputs:
    return Outputs.of_job(str(directory), {}, directory)


def stop_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    save = checkpoints.Checkpoints.save

    def stopping(self: checkpoints.Checkpoints) -> None:
        save(self)
        if len(self._training.curve) == epochs:
            raise Stopped

    monkeypatch.setattr(checkpoints.Checkpoints, "save", stopping)


@pytest.fixture(scope="module")
def finished(train: Split, validation: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job that has ended."""
    place = tmp_path_factory.mktemp("finished")
    job.run(train, validation, SMALL, outputs(place))
    return place


def test_an_interrupted_run_goes_on_to_the_same_result(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = job.run(train, validation, SMALL, outputs(tmp_path / "whole"))
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        stop_after(2, patch)
        job.run(train, validation, SMALL, outputs(tmp_path / "job"))
    again = job.run(train, validation, SMALL, outputs(tmp_path / "job"))
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        rows = (whole.history["epochs"], again.history["epochs"])
        assert [row[name] for row in rows[0]] == [row[name] for row in rows[1]]
    seconds = sum(row["seconds"] for row in again.history["epochs"])
    assert len(again.history["epochs"]) == 3
    assert again.history["training_seconds"] == again.metrics["training_seconds"] == seconds
    images = read(tmp_path / "whole"), read(tmp_path / "job")
    np.testing.assert_array_equal(*images)


def read(directory: Path) -> np.ndarray:
    """The weights of the exported model in one vector, after a check of the manifest."""
    assert content_digest(read_manifest(directory / "model"))
    reader = tf.train.load_checkpoint(str(directory / "model" / "variables" / "variables"))
    names = sorted(name for name in reader.get_variable_to_shape_map() if "weights" in name)
    return np.concatenate([reader.get_tensor(name).ravel() for name in names])


def test_a_run_that_is_done_is_not_trained_again(
    train: Split, validation: Split, tmp_path: Path
) -> None:
    first = job.run(train, validation, SMALL, outputs(tmp_path))
    again = job.run(train, validation, SMALL, outputs(tmp_path))
    assert again.history["epochs"] == first.history["epochs"]
    assert again.metrics["training_seconds"] == first.metrics["training_seconds"] > 0


def test_the_checkpoints_of_another_run_are_refused(
    train: Split, validation: Split, tmp_path: Path
) -> None:
    job.run(train, validation, SMALL, outputs(tmp_path))
    other = Hyperparameters(**{**SMALL.as_dict(), "learning_rate": 0.1})
    with pytest.raises(CheckpointError, match=f"{tmp_path}/checkpoints has checkpoints of a run"):
        job.run(train, validation, other, outputs(tmp_path))


def test_the_checkpoints_of_other_packages_are_refused(
    train: Split, validation: Split, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {**history.versions(), "tensorflow": "2.22.0"}
    monkeypatch.setattr(history, "versions", lambda: versions)
    with pytest.raises(CheckpointError, match="other hyperparameters, data, code or packages"):
        job.run(train, validation, SMALL, outputs(finished))


def lost(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harmed", "harm", "epochs"),
    [
        ("ckpt-3.data*", lost, 2),
        ("ckpt-3.data*", flipped, 2),
        ("ckpt-3.index", cut_off, 2),
        ("ckpt-*.data*", cut_off, 0),
    ],
)
def test_a_run_goes_on_after_its_newest_whole_checkpoint_to_the_same_result(
    train: Split,
    validation: Split,
    finished: Path,
    tmp_path: Path,
    harmed: str,
    harm: Callable[[Path], None],
    epochs: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "checkpoints").glob(harmed):
        harm(path)
    with caplog.at_level(logging.INFO, "components.train.trainer"):
        job.run(train, validation, SMALL, outputs(tmp_path))
    assert f"{tmp_path}/checkpoints/ckpt-3 is damaged" in caplog.text
    assert (f"going on after epoch {epochs} of 3" in caplog.text) is (epochs > 0)
    assert ("epoch 1/3" in caplog.text) is (epochs == 0)
    np.testing.assert_array_equal(read(tmp_path), read(finished))
    kept = [sorted(at.joinpath("checkpoints").iterdir()) for at in (tmp_path, finished)]
    assert [path.name for path in kept[0]] == [path.name for path in kept[1]]


def test_runs_that_share_a_folder_have_one_each_and_remove_those_of_finished_ones(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(given: Hyperparameters) -> set[Path]:
        job.run(
            train,
            validation,
            given,
            Outputs(Folder(tmp_path / "model"), Folder(tmp_path / "kept"), shared=True),
        )
        return set((tmp_path / "kept").iterdir())

    other = Hyperparameters(**{**SMALL.as_dict(), "learning_rate": 0.1})
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        stop_after(1, patch)
        run(SMALL)
    unfinished = set((tmp_path / "kept").iterdir())
    both = run(other)
    assert unfinished < both
    assert len(both) == 2
    assert run(SMALL) == unfinished
