"""Small records of pictures that a network tells apart after a few steps."""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.manifest import write_manifest
from components.dataset.records import frame_records
from components.train.trainer import job
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.outputs import Outputs
from components.train.trainer.splits import Split
from pipeline.local import emulator
from tests.idx_files import FASHION

TINY = Hyperparameters(
    architecture="plain", filters=(2, 2), dense_units=0, batch_size=32, precision="float32"
)
SMALL = dataclasses.replace(TINY, train_steps=25, dropout=0.2, augmentation="flip+shift")
"""A training that draws all its random numbers: epochs of 10, 10 and 5 steps."""
GLYPHS = Description("Glyphs", ("A", "B", "C", "D"), 12, 20, mirror_changes_class=True)
FLAGS = Description("Flags", ("Chad", "Italy", "Mali"), 32, 32, 3)
MANY = Description("Many", tuple(f"Class {number}" for number in range(200)), 28, 28)


class Stopped(BaseException):
    """Stands for the end of the process."""


def make_examples(
    count: int, seed: int = 0, description: Description = FASHION
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noise with bright bars whose place is the label: uint8 [n, h, w(, 3)] and int64 [n]."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % len(description.classes)
    images = generator.integers(0, 60, (count, *description.shape), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        tens, ones = divmod(label, 10)
        image[2 * ones + 4 : 2 * ones + 6] = 250
        image[:, :tens] = 250
    return images, labels.astype(np.int64)


def write_split(
    directory: Path, split: str, count: int, seed: int = 0, description: Description = FASHION
) -> Path:
    """Two shards, the description and the manifest, as decode writes them."""
    directory.mkdir(parents=True)
    images, labels = make_examples(count, seed, description)
    for shard in range(2):
        path = directory / f"{split}-{shard:05d}-of-00002.tfrecord"
        part = slice(shard, None, 2)
        records = frame_records(images[part], labels[part].astype(np.uint8), description)
        path.write_bytes(records.tobytes())
    description.write(directory)
    write_manifest(directory, examples=count, shards=2)
    return directory


def read_weights(model: Path) -> dict[str, NDArray[Any]]:
    reader = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("weights")]
    assert names
    return {name: reader.get_tensor(name) for name in names}


def run(splits: tuple[Split, Split], job_dir: object, scratch: Path, **given: Any) -> None:
    """Trains as ``--job-dir`` says, without the command line."""
    outputs = Outputs.of_job(str(job_dir), {}, scratch)
    outcome = job.run(*splits, given.pop("hyperparameters", SMALL), outputs, **given)
    outputs.model.parent.write_json("history.json", outcome.history)


@contextlib.contextmanager
def stopped_in(owner: Any, name: str, number: int = 1, *, after: bool = False) -> Iterator[None]:
    """Ends the training at the n-th call of a function, before or after it has done its work."""
    call, calls = getattr(owner, name), iter(range(1, 1_000_000))

    def counted(*args: Any, **options: Any) -> Any:
        last = next(calls) == number
        if last and not after:
            raise Stopped
        result = call(*args, **options)
        if last:
            raise Stopped
        return result

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(owner, name, counted)
        yield


def read_result(job: Path) -> dict[str, Any]:
    """The bytes of the weights and the learning curve, without times, of a job's directory."""
    rows = json.loads((job / "history.json").read_text())["epochs"]
    curve = [{name: row[name] for name in row if name != "seconds"} for row in rows]
    weights = {name: value.tobytes() for name, value in read_weights(job / "model").items()}
    return {"curve": curve, **weights}


@pytest.fixture(scope="session")
def train_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_split(tmp_path_factory.mktemp("records") / "train", "train", 320)


@pytest.fixture(scope="session")
def validation_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_split(tmp_path_factory.mktemp("records") / "validation", "validation", 60, 1)


@pytest.fixture(scope="session")
def train(train_directory: Path) -> Split:
    return Split.of_directory(train_directory)


@pytest.fixture(scope="session")
def validation(validation_directory: Path) -> Split:
    return Split.of_directory(validation_directory)


@pytest.fixture(scope="session")
def splits(train: Split, validation: Split) -> tuple[Split, Split]:
    return train, validation


@pytest.fixture(scope="session")
def finished(splits: tuple[Split, Split], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a job that was not interrupted."""
    place = tmp_path_factory.mktemp("finished")
    run(splits, place, place)
    return place


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty local bucket."""
    with emulator.serve(tmp_path / "emulator") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        yield f"gs://{emulator.LOCAL_BUCKET}"


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, job.__name__.rpartition(".")[0])
    return caplog


@pytest.fixture(scope="session")
def files(train_directory: Path, validation_directory: Path) -> list[str]:
    """The records as arguments of the command line."""
    return [
        f"--train-files={train_directory}/*.tfrecord",
        f"--eval-files={validation_directory}/*.tfrecord",
    ]
