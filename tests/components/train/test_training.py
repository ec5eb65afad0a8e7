import dataclasses
import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.train.trainer import input_pipeline
from components.train.trainer import training as module
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.input_pipeline import open_source
from components.train.trainer.model import build_model
from components.train.trainer.progress import Progress
from components.train.trainer.reading import read_examples
from components.train.trainer.splits import Split
from components.train.trainer.training import Training, TrainingDiverged

SMALL = Hyperparameters(filters=(4, 8), dense_units=16, batch_size=32, epochs=2)


def start(
    train: Split, validation: Split | None, given: Hyperparameters = SMALL, seed: int = 0
) -> Training:
    tf.keras.utils.set_random_seed(seed)
    validated = read_examples(validation.files) if validation else None
    return Training(build_model(given, seed=seed), open_source(train), validated, given, seed=seed)


def test_it_learns_what_can_be_learned(train: Split, validation: Split) -> None:
    given = Hyperparameters(filters=(8, 16), dense_units=16, batch_size=32, epochs=8)
    training = start(train, validation, dataclasses.replace(given, augmentation="none"))
    training.run()
    assert [row.epoch for row in training.curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert training.curve[-1].loss < training.curve[0].loss
    assert training.curve[-1].validation_accuracy == pytest.approx(1.0, abs=0.1)


def test_the_given_steps_are_exactly_the_steps_taken(train: Split) -> None:
    given = dataclasses.replace(SMALL, train_steps=13)
    training = start(train, None, given)
    training.run()
    assert int(training._optimizer.iterations) == 13
    assert [row.validation_loss for row in training.curve] == [None, None]
    assert training.curve[-1].learning_rate == pytest.approx(given.learning_rate / (13 * 0.8))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(train: Split) -> None:
    given = Hyperparameters(filters=(4, 8), dropout=0.2, batch_size=32, train_steps=3)
    runs = []
    for seed in (3, 3, 4):
        training = start(train, None, given, seed)
        training.run()
        runs.append(b"".join(weight.tobytes() for weight in training.model.get_weights()))
    assert runs[0] == runs[1] != runs[2]


def test_a_loss_that_is_not_a_number_stops_with_step_and_learning_rate(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The check is left to the end of the epoch.
    monkeypatch.setattr(Progress, "due", lambda _: False)
    training = start(train, None)
    original, steps = training.step, itertools.count(1)

    def seventh_is_nan(*batch: object) -> object:
        figures, losses = original(*batch)
        return figures * math.nan if next(steps) == 7 else figures, losses

    training.step = seventh_is_nan
    rate = f"{training.learning_rate(7):.4g}"
    with pytest.raises(
        TrainingDiverged, match=f"loss .* step 7 of 20, where the learning rate was {rate};"
    ):
        training.run()


def test_a_learning_rate_far_too_large_is_an_error(train: Split) -> None:
    given = dataclasses.replace(SMALL, learning_rate=1e38)
    with pytest.raises(TrainingDiverged, match="smaller learning_rate"):
        start(train, None, given).run()


def test_a_last_step_that_ruins_the_weights_is_an_error(train: Split) -> None:
    training = start(train, None)
    training.model.get_layer("logits_0").bias.assign(np.full(10, math.inf))
    training.step = lambda *batch: (tf.constant([1.0, 0.1]), tf.zeros(32))
    with pytest.raises(TrainingDiverged, match="a weight is not finite at step 20"):
        training.run()


def test_validation_counts_each_example_once(
    train: Split, validation: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = start(train, validation)
    whole = training._validate(1)
    monkeypatch.setattr(module, "VALIDATION_BATCH", 7)
    assert training._validate(1) == pytest.approx(whole, rel=1e-5)
    images, labels = read_examples(validation.files)
    predicted = np.argmax(training.model(images), axis=-1)
    assert whole[1] == pytest.approx((predicted == labels).mean())
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (labels, predicted), 1)
    np.testing.assert_array_equal(training.confusion, expected)


def test_the_loss_is_the_smoothed_cross_entropy(train: Split) -> None:
    training = start(train, None, dataclasses.replace(SMALL, label_smoothing=0.2))
    logits = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    labels = np.array([1, 2, 3, 4])
    targets = np.full((4, 10), 0.02) + 0.8 * np.eye(10)[labels]
    expected = -(targets * np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).sum(1)
    losses, right = training._losses(tf.constant(logits), tf.constant(labels))
    assert losses.numpy() == pytest.approx(expected, rel=1e-5)
    assert right.numpy().tolist() == (logits.argmax(1) == labels).tolist()


def test_progress_is_a_line_with_the_time_left(
    train: Split, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHION_MNIST_PROGRESS", "1")
    start(train, None).run()
    first, *_, last = capsys.readouterr().out.removesuffix("\r").split("\r")
    assert re.fullmatch(r"epoch 1/2  step 1/10  [\d,]+ images/s  loss \d\.\d{4}", first)
    assert re.fullmatch(r"epoch 2/2  step 10/10  0 s left  [\d,]+ images/s  loss \d\.\d{4}", last)


def test_the_losses_of_the_examples_decide_the_next_draw(train: Split) -> None:
    training = start(train, None)
    examples = read_examples(train.files)
    training.run()
    losses = training.sampler.losses
    assert np.isfinite(losses).all()
    # Bars that are told apart already have the lower losses.
    right = np.argmax(training.model(examples.images), axis=-1) == examples.labels
    assert losses[right].mean() < losses[~right].mean()


def test_streamed_examples_are_sampled_uniformly(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    training = start(train, None)
    training.run()
    assert len(training.curve) == 2
    (draw,) = training.sampler.epoch(3, 10)
    assert set(draw.weights) == {1.0}


def test_each_member_of_an_ensemble_learns_as_if_it_were_alone(train: Split) -> None:
    given = Hyperparameters(filters=(4, 8), batch_size=32, train_steps=3)
    alone = start(train, None, given)
    ensemble = start(train, None, dataclasses.replace(given, members=2))

    def weighted(training: Training) -> list[Any]:
        return [layer for layer in training.model.layers if layer.weights]

    # Layers of the same depth are next to each other.
    twins = list(enumerate(weighted(ensemble)))
    assert len(twins) == 2 * len(weighted(alone))
    for index, layer in twins:
        layer.set_weights(weighted(alone)[index // 2].get_weights())
    alone.run()
    ensemble.run()
    for index, layer in twins:
        expected = weighted(alone)[index // 2].get_weights()
        for found, wanted in zip(layer.get_weights(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert ensemble.curve[0].loss == pytest.approx(alone.curve[0].loss, rel=1e-4)
