"""Data sets of any form, from their records to a model that answers."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.train.trainer import input_pipeline, job
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.outputs import Folder, Outputs
from components.train.trainer.splits import Split
from tests.photographs import encoded

from .conftest import FLAGS, GLYPHS, MANY, TINY, make_examples, write_split

RESIDUAL = Hyperparameters(filters=(8, 16), dense_units=16, batch_size=32, epochs=6)


def trained(
    place: Path,
    description: Description,
    train: int,
    validation: int = 0,
    given: Hyperparameters = RESIDUAL,
) -> job.Outcome:
    """Trains on so many examples; the model is in ``place / "model"``."""
    train_split, validation_split = (
        Split.of_directory(write_split(place / name, name, count, seed, description))
        for seed, (name, count) in enumerate((("train", train), ("validation", validation)))
    )
    folders = Outputs(Folder(place / "model"), logs=Folder(place / "logs"))
    return job.run(train_split, validation_split, given, folders)


@pytest.mark.parametrize(("description", "memory"), [(GLYPHS, 2**20), (FLAGS, 50_000)])
def test_a_network_learns_pictures_of_another_size_and_colour(
    description: Description, memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second set is streamed.
    monkeypatch.setattr(input_pipeline, "MEMORY", memory)
    outcome = trained(tmp_path, description, 480, 40)
    assert outcome.metrics["validation_accuracy"] > 0.9
    facts = {"dataset": description.name, "classes": len(description.classes)}
    assert outcome.facts.items() >= {**facts, "image": description.form}.items()
    averaging = description is not GLYPHS
    assert outcome.facts["mirror_averaging"] is averaging
    assert outcome.history["parameters"]["augmentation"] == ("flip" if averaging else "none")
    found = Description.read(tmp_path / "model")
    assert found.classes == description.classes
    images, labels = make_examples(12, 9, description)
    assert found.mean == pytest.approx(images.mean(axis=(0, 1, 2)).reshape(-1), rel=0.2)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures
    answer = served["serving_default"](image=tf.constant(images))
    assert answer["probabilities"].shape == (12, len(description.classes))
    expected = np.array(found.classes, bytes)[labels]
    assert (answer["label"].numpy() == expected).mean() > 0.9
    seen = served["prepare"](tf.constant([encoded(Image.fromarray(images[0]))]))
    assert seen["image"].shape == (1, *description.shape)


def test_two_hundred_classes_are_told_apart(tmp_path: Path) -> None:
    given = dataclasses.replace(RESIDUAL, architecture="plain", dense_units=64)
    outcome = trained(tmp_path, MANY, 1600, 200, given)
    assert outcome.metrics["validation_accuracy"] > 20 / 200
    answer = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    image = tf.constant(make_examples(1, 0, MANY)[0])
    assert answer(image=image)["probabilities"].shape == (1, 200)


@pytest.mark.parametrize(("batch_size", "validation"), [(256, 0), (4, 1), (1, 1)])
def test_three_classes_of_three_examples_train(
    batch_size: int, validation: int, tmp_path: Path
) -> None:
    given = dataclasses.replace(RESIDUAL, batch_size=batch_size)
    outcome = trained(tmp_path, FLAGS, 9, validation, given)
    assert np.isfinite(outcome.metrics["train_loss"])
    assert ("validation_accuracy" in outcome.metrics) is bool(validation)
    assert 0.1 < outcome.facts["temperature"] < 10


def test_a_single_example_trains(tmp_path: Path) -> None:
    assert np.isfinite(trained(tmp_path, GLYPHS, 1).metrics["train_loss"])


def test_splits_of_different_data_sets_are_refused(train: Split, tmp_path: Path) -> None:
    other = Split.of_directory(write_split(tmp_path / "other", "validation", 8, 0, GLYPHS))
    with pytest.raises(DataError, match="training examples are 28x28, the validation examples 12x"):
        job.run(train, other, TINY, Outputs(Folder(tmp_path)))
    described = dataclasses.replace(train.description, classes=train.description.classes[::-1])
    renamed = dataclasses.replace(train, description=described)
    with pytest.raises(DataError, match="have other classes"):
        job.run(train, renamed, TINY, Outputs(Folder(tmp_path)))
