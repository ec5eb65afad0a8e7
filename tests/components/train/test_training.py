import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.train.trainer import input_pipeline
from components.train.trainer import training as module
from components.train.trainer.input_pipeline import InMemory, open_source, read_examples
from components.train.trainer.model import build_model
from components.train.trainer.plan import Plan
from components.train.trainer.progress import Pace, Ticker
from components.train.trainer.splits import Split
from components.train.trainer.training import Training
from components.train.trainer.util import Hyperparameters, TrainingDiverged

SMALL = Hyperparameters(filters=(4, 8), dense_units=16, batch_size=32, epochs=2)


def start(train: Split, validation: Split | None, given: Hyperparameters) -> Training:
    tf.keras.utils.set_random_seed(given.seed)
    validated = read_examples(validation.files) if validation else None
    return Training(build_model(given), open_source(train), validated, given)


@pytest.mark.parametrize(
    ("given", "examples", "plan"),
    [
        (Hyperparameters(epochs=7), 55_000, (256, 214, 1498, 7)),
        (Hyperparameters(train_steps=1000), 55_000, (256, 214, 1000, 5)),
        (Hyperparameters(train_steps=3), 55_000, (256, 214, 3, 1)),
        (Hyperparameters(epochs=2), 100, (100, 1, 2, 2)),
    ],
)
def test_steps_and_epochs_follow_from_each_other(
    given: Hyperparameters, examples: int, plan: tuple[int, ...]
) -> None:
    made = Plan.of(given, examples)
    assert (made.batch_size, made.steps_per_epoch, made.steps, made.epochs) == plan


def test_it_learns_what_can_be_learned(train: Split, validation: Split) -> None:
    given = Hyperparameters(
        filters=(8, 16), dense_units=16, batch_size=32, epochs=8, augmentation="none"
    )
    training = start(train, validation, given)
    training.run()
    assert [row.epoch for row in training.curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert training.curve[-1].loss < training.curve[0].loss
    assert training.curve[-1].validation_accuracy == pytest.approx(1.0, abs=0.1)


def test_steps_given_are_exactly_the_steps_taken(train: Split, validation: Split) -> None:
    given = Hyperparameters(filters=(4, 8), batch_size=32, train_steps=13)
    training = start(train, validation, given)
    training.run()
    assert int(training._optimizer.iterations) == 13
    assert len(training.curve) == 2
    assert training.curve[-1].learning_rate == pytest.approx(training.learning_rate(13))
    assert training.learning_rate(13) == pytest.approx(given.learning_rate / (13 * 0.8))


def test_without_validation_the_curve_has_none(train: Split) -> None:
    training = start(train, None, SMALL)
    training.run()
    assert {row.validation_loss for row in training.curve} == {None}
    assert {row.validation_accuracy for row in training.curve} == {None}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(train: Split) -> None:
    runs = []
    for seed in (3, 3, 4):
        given = Hyperparameters(
            filters=(4, 8), dropout=0.2, batch_size=32, train_steps=5, seed=seed
        )
        training = start(train, None, given)
        training.run()
        runs.append(training.model.get_weights())
    for first, second in zip(runs[0], runs[1], strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    assert any((a != b).any() for a, b in zip(runs[0], runs[2], strict=True))


def test_a_loss_that_is_no_number_stops_with_step_and_learning_rate(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Ticker", NeverDue)
    training = start(train, None, SMALL)
    original, steps = training.step, itertools.count(1)

    def seventh_is_nan(*batch: object) -> object:
        figures, losses = original(*batch)
        return figures * math.nan if next(steps) == 7 else figures, losses

    training.step = seventh_is_nan
    with pytest.raises(TrainingDiverged) as error:
        training.run()
    rate = f"{training.learning_rate(7):.4g}"
    assert re.search(
        rf"loss .* step 7 of 20, where the learning rate was {rate};", str(error.value)
    )


def test_the_watch_looks_at_each_loss_once_however_long_the_epoch(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ticker, "due", lambda _: True)
    training = start(train, None, SMALL)
    watch, looked_at = training._watch, []

    def counting(figures: list[Any], step: int) -> float:
        looked_at.append(len(figures))
        return watch(figures, step)

    monkeypatch.setattr(training, "_watch", counting)
    training.run()
    assert looked_at == [1] * training.plan.steps


def test_a_loss_that_is_no_number_is_named_by_its_step_in_any_later_look(train: Split) -> None:
    training = start(train, None, SMALL)
    losses = [tf.constant([loss, 0.5]) for loss in (1.0, math.nan, 2.0)]
    with pytest.raises(TrainingDiverged, match="step 9 of 20"):
        training._watch(losses, 10)


class NeverDue(Ticker):
    """Leaves the watch to the end of the epoch."""

    def due(self) -> bool:
        return False


def test_a_learning_rate_far_too_large_is_an_error(train: Split) -> None:
    given = Hyperparameters(filters=(4, 8), batch_size=32, train_steps=10, learning_rate=1e38)
    with pytest.raises(TrainingDiverged, match="smaller learning_rate"):
        start(train, None, given).run()


def test_a_last_step_that_ruins_the_weights_is_an_error(train: Split) -> None:
    training = start(train, None, SMALL)
    training.model.get_layer("logits_0").bias.assign(np.full(10, math.inf))
    training.step = lambda *batch: (tf.constant([1.0, 0.1]), tf.zeros(32))
    with pytest.raises(TrainingDiverged, match="a weight is not finite at step 20"):
        training.run()


def test_validation_counts_each_example_once(
    train: Split, validation: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = start(train, validation, SMALL)
    whole = training._validate(1)
    monkeypatch.setattr(module, "VALIDATION_BATCH", 7)
    assert training._validate(1) == pytest.approx(whole, rel=1e-5)
    images, labels = read_examples(validation.files)
    right = np.argmax(training.model(images), axis=-1) == labels
    assert whole[1] == pytest.approx(right.mean())


def test_the_smoothed_loss_is_the_one_of_the_definition(train: Split) -> None:
    training = start(train, None, SMALL)
    logits = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    labels = np.array([1, 2, 3, 4])
    targets = np.full((4, 10), 0.01) + 0.9 * np.eye(10)[labels]
    expected = -(targets * np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).sum(1)
    losses, right = training._losses(tf.constant(logits), tf.constant(labels))
    assert losses.numpy() == pytest.approx(expected, rel=1e-5)
    assert right.numpy().tolist() == (logits.argmax(1) == labels).tolist()


def test_fewer_examples_than_a_batch_are_one_batch(train: Split) -> None:
    few = read_examples(train.files[:1])
    source = InMemory(type(few)(few.images[:20], few.labels[:20]))
    training = Training(build_model(SMALL), source, None, SMALL)
    training.run()
    assert (training.plan.batch_size, training.plan.steps) == (20, 2)


def test_progress_is_written_only_where_it_is_wanted(
    train: Split, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FASHION_MNIST_PROGRESS", raising=False)
    start(train, None, SMALL).run()
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("FASHION_MNIST_PROGRESS", "1")
    start(train, None, SMALL).run()
    lines = capsys.readouterr().out.split("\r")
    assert lines.pop() == ""
    line = r"epoch [12]/2  step \d+/10  (\d+ (s|min) left  )?[\d,]+ images/s  loss \d"
    assert all(re.match(line, each) for each in lines)
    assert re.match(r"epoch 1/2  step 1/10  [\d,]+ images/s", lines[0])
    assert re.match(r"epoch 2/2  step 10/10  0 s left  ", lines[-1])


@pytest.mark.parametrize(
    ("steps", "left"),
    [(0, "0 s left"), (44, "88 s left"), (45, "2 min left"), (300, "10 min left")],
)
def test_the_time_that_is_left_follows_from_the_steps_after_the_first(
    steps: int, left: str
) -> None:
    times = iter([60.0, 66.0])
    pace = Pace(lambda: next(times))
    pace.step()
    assert pace.left(steps) == ""
    for _ in range(3):
        pace.step()
    assert pace.left(steps) == left


def test_the_losses_of_the_examples_are_kept_for_the_next_round(train: Split) -> None:
    training = start(train, None, SMALL)
    examples = read_examples(train.files)
    training.run()
    assert np.isfinite(training.sampler.losses).all()
    # Bars that are told apart already have the lower losses.
    logits = training.model(examples.images, training=False)
    right = np.argmax(logits, axis=-1) == examples.labels
    losses = training.sampler.losses
    assert losses[right].mean() < losses[~right].mean()


def test_streamed_examples_are_sampled_uniformly(
    train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    training = start(train, None, SMALL)
    training.run()
    assert len(training.curve) == 2
    (draw,) = training.sampler.epoch(3, 10)
    assert set(draw.weights) == {1.0}


def test_each_member_of_a_committee_learns_as_if_it_were_alone(train: Split) -> None:
    given: dict[str, Any] = {"filters": (4, 8), "batch_size": 32, "train_steps": 3}
    alone = start(train, None, Hyperparameters(**given))
    committee = start(train, None, Hyperparameters(**given, members=2))

    def weighted(training: Training) -> list[Any]:
        return [layer for layer in training.model.layers if layer.weights]

    # Layers of the same depth stand beside each other.
    twins = list(enumerate(weighted(committee)))
    assert len(twins) == 2 * len(weighted(alone))
    for index, layer in twins:
        layer.set_weights(weighted(alone)[index // 2].get_weights())
    alone.run()
    committee.run()
    for index, layer in twins:
        expected = weighted(alone)[index // 2].get_weights()
        for found, wanted in zip(layer.get_weights(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert committee.curve[0].loss == pytest.approx(alone.curve[0].loss, rel=1e-4)
