import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.optimizer import (
    NEWTON_SCHULZ_STEPS,
    OPTIMIZERS,
    MuonSGD,
    Triangle,
    orthogonalize,
)


def test_the_learning_rate_rises_for_a_fifth_of_the_steps_and_falls_to_zero() -> None:
    rates = [float(Triangle(0.5, 100)(step)) for step in range(100)]
    assert rates[0] == pytest.approx(0.5 / 20)
    assert max(rates) == pytest.approx(0.5, rel=0.02)
    assert np.argmax(rates) in (19, 20)
    assert rates[-1] == pytest.approx(0.5 / 80)
    assert (np.diff(rates[:20]) > 0).all()
    assert (np.diff(rates[20:]) < 0).all()
    short = [float(Triangle(0.5, steps)(step)) for steps in (1, 2, 4) for step in range(steps)]
    assert all(0 < rate <= 0.5 for rate in short)


@pytest.mark.parametrize("shape", [(3, 3, 16, 32), (1, 1, 16, 64)])
def test_orthogonalize_brings_all_singular_values_near_one(shape: tuple[int, ...]) -> None:
    kernel = tf.random.stateless_normal(shape, [1, 2])
    matrix = tf.reshape(orthogonalize(kernel), [-1, shape[-1]])
    values = np.linalg.svd(matrix.numpy(), compute_uv=False)
    assert 0.6 < values.min() < values.max() < 1.3


@pytest.mark.parametrize("shape", [(3, 3, 16, 32), (1, 1, 16, 64)])
def test_orthogonalize_is_the_iteration_on_the_matrix_itself(shape: tuple[int, ...]) -> None:
    kernel = tf.random.stateless_normal(shape, [1, 2])
    x = tf.reshape(kernel, [-1, shape[-1]]) / tf.norm(kernel)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ tf.transpose(x)
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    np.testing.assert_allclose(orthogonalize(kernel), tf.reshape(x, shape), atol=1e-4)


def test_the_rest_moves_as_nesterov_sgd_of_keras_would_move_it() -> None:
    ours, theirs = (keras.Variable([1.0, -2.0]) for _ in range(2))
    muon = MuonSGD(0.1)
    sgd = keras.optimizers.SGD(0.1 * 0.4, momentum=0.85, nesterov=True)
    muon.build([ours])
    sgd.build([theirs])
    for gradient in ([0.5, 0.25], [-1.0, 2.0], [0.0, 1.0]):
        muon.apply([tf.constant(gradient)], [ours])
        sgd.apply([tf.constant(gradient)], [theirs])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_kernel_keeps_its_filters_at_length_one_and_turns_by_the_learning_rate() -> None:
    kernel = keras.Variable(tf.random.stateless_normal([3, 3, 16, 8], [1, 2]) * 5)
    optimizer = MuonSGD(0.1)
    optimizer.build([kernel])
    before = kernel.numpy() / np.linalg.norm(kernel) * np.sqrt(8)
    optimizer.apply([tf.random.stateless_normal(kernel.shape, [3, 4])], [kernel])
    turned = np.linalg.norm(kernel.numpy() - before) / np.sqrt(8)
    assert turned == pytest.approx(0.1, rel=0.3)


def test_every_optimizer_that_can_be_chosen_moves_weights() -> None:
    (field,) = [each for each in dataclasses.fields(Hyperparameters) if each.name == "optimizer"]
    assert set(field.metadata["rule"].choices) == set(OPTIMIZERS)
    for make in OPTIMIZERS.values():
        optimizer, weight = make(0.1), keras.Variable([1.0, -2.0])
        optimizer.build([weight])
        optimizer.apply([tf.constant([0.5, 0.25])], [weight])
        assert (weight.numpy() != [1.0, -2.0]).all()
