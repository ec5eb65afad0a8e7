import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.evaluate import scores
from components.train.trainer import input_pipeline, splits
from components.train.trainer import training as module
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.input_pipeline import open_source
from components.train.trainer.model import build_model
from components.train.trainer.progress import Progress
from components.train.trainer.splits import Split, read_examples
from components.train.trainer.training import Training, TrainingDiverged

from .conftest import TINY

LONG = dataclasses.replace(TINY, filters=(8, 8), train_steps=65, augmentation="none")


def start(train: Split, validation: Split | None = None, given: Hyperparameters = LONG) -> Training:
    validated = read_examples(validation) if validation else None
    return Training(build_model(given, train.measured()), open_source(train), validated, given)


@pytest.fixture(scope="module")
def trained(train: Split, validation: Split) -> Training:
    training = start(train, validation)
    training.run()
    return training


def test_it_learns_what_can_be_learned_in_exactly_the_given_steps(trained: Training) -> None:
    assert int(trained._optimizer.iterations) == 65
    assert trained.curve[-1].learning_rate == pytest.approx(LONG.learning_rate / (65 * 0.8))
    assert [row.epoch for row in trained.curve] == [1, 2, 3, 4, 5, 6, 7]
    assert trained.curve[-1].loss < trained.curve[0].loss
    assert trained.curve[-1].validation_accuracy == pytest.approx(1.0, abs=0.1)


def test_the_losses_of_the_examples_decide_the_next_draw(trained: Training, train: Split) -> None:
    examples, losses = read_examples(train), trained.sampler.losses
    assert np.isfinite(losses).all()
    hardest = set(np.argsort(-losses)[:80])
    draw = next(trained.sampler.epoch(8, 10))
    assert hardest <= set(draw.indices)
    logits, labels = trained.model(examples.images), tf.constant(examples.labels)
    now = module.cross_entropy(logits, labels, LONG.label_smoothing)
    assert np.corrcoef(losses, now)[0, 1] > 0.1


def test_validation_counts_each_example_once_with_the_loss_of_the_test(
    trained: Training, validation: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained._validate(1)
    monkeypatch.setattr(splits, "SCORED", 7 * 28 * 28)
    assert trained._validate(1) == pytest.approx(whole, rel=1e-5)
    images, labels = read_examples(validation)
    predicted = np.argmax(trained.model(images), axis=-1)
    assert whole[1] == pytest.approx((predicted == labels).mean())
    probabilities = tf.nn.softmax(trained.model(images)).numpy()
    assert whole[0] == pytest.approx(
        scores.cross_entropy(probabilities, labels.astype(np.uint8)), rel=1e-4
    )
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (labels, predicted), 1)
    np.testing.assert_array_equal(trained.confusion, expected)


def test_the_training_loss_is_the_smoothed_cross_entropy() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    labels = np.array([1, 2, 3, 4])
    share = Hyperparameters().label_smoothing
    targets = share / 10 + (1 - share) * np.eye(10)[labels]
    expected = -(targets * np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).sum(1)
    losses = module.cross_entropy(tf.constant(logits), tf.constant(labels), share)
    assert losses.numpy() == pytest.approx(expected, rel=1e-5)


def test_a_loss_that_is_not_a_number_stops_with_step_and_learning_rate(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The check is left to the end of the epoch.
    monkeypatch.setattr(Progress, "due", lambda _: False)
    training, steps = start(train), itertools.count(1)
    losses = [1.0, math.nan]
    training.step = lambda *_: (tf.constant([losses[next(steps) == 17], 0.1]), tf.zeros(32))
    rate = f"{training.learning_rate(17):.4g}"
    with pytest.raises(
        TrainingDiverged, match=f"loss .* step 17 of 65, where .* was {rate}; use a smaller learn"
    ):
        training.run()


def test_a_last_step_that_ruins_the_weights_is_an_error(train: Split) -> None:
    training = start(train)
    training.model.get_layer("logits_0").bias.assign(np.full(10, math.inf))
    training.step = lambda *_: (tf.constant([1.0, 0.1]), tf.zeros(32))
    with pytest.raises(TrainingDiverged, match="a weight is not finite at step 65"):
        training.run()


def test_streamed_examples_are_sampled_uniformly(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    training = start(train, None, dataclasses.replace(TINY, epochs=2))
    training.run()
    assert [row.validation_loss for row in training.curve] == [None, None]
    (draw,) = training.sampler.epoch(3, 10)
    assert set(draw.weights) == {1.0}


def test_each_member_of_an_ensemble_learns_as_if_it_were_alone(train: Split) -> None:
    given = dataclasses.replace(TINY, train_steps=3)
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
