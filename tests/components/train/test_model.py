import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.layers import Convolution, Ensemble, FusedBatchNormalization
from components.train.trainer.model import build_model
from components.train.trainer.optimizer import MUON_MIN_CHANNELS
from tests.idx_files import FASHION

from .conftest import FLAGS, TINY, make_examples

ARCHITECTURES = ("residual", "plain")


def test_precision_changes_the_computation_and_not_the_weights() -> None:
    small = Hyperparameters(filters=(2, 2), dense_units=0)
    exact, fast = build_model(small, FASHION), build_model(small, FASHION, "bfloat16")
    assert {layer.compute_dtype for layer in fast.layers} == {"bfloat16", "float32"}
    assert [(w.shape, w.dtype) for w in exact.weights] == [(w.shape, w.dtype) for w in fast.weights]
    fast.set_weights(exact.get_weights())
    images = make_examples(8)[0]
    assert fast(images).dtype == tf.float32
    np.testing.assert_allclose(fast(images), exact(images), atol=0.1)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_seed_alone_decides_the_initial_weights(architecture: str) -> None:
    def initial(seed: int, drawn: int) -> list[bytes]:
        keras.utils.set_random_seed(drawn)  # What other threads have drawn from Python's generator.
        small = Hyperparameters(architecture=architecture, filters=(2, 2), members=2)
        return [
            weights.tobytes() for weights in build_model(small, FASHION, seed=seed).get_weights()
        ]

    once = initial(seed=3, drawn=1)
    assert once == initial(seed=3, drawn=2)
    assert once != initial(seed=4, drawn=1)
    kernels = [weights for weights in once if len(set(weights)) > 16]
    assert len(set(kernels)) == len(kernels)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_normalization_follows_each_kernel_that_the_optimizer_rescales(
    architecture: str,
) -> None:
    model = build_model(Hyperparameters(architecture=architecture, filters=(16, 32)), FASHION)
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None or len(kernel.shape) != 4 or kernel.shape[2] < MUON_MIN_CHANNELS:
            continue
        assert type(layer) is Convolution
        (node,) = layer._outbound_nodes
        after = node.operation
        if isinstance(after, keras.layers.MaxPooling2D):
            after = after._outbound_nodes[0].operation
        assert isinstance(after, FusedBatchNormalization)


@pytest.mark.parametrize(
    ("given", "convolutions", "dense"),
    [
        (
            Hyperparameters(filters=(6, 8, 10), dense_units=12),
            [6, 6, 6, 8, 8, 8, 10, 10, 10],
            [2, 8, 2, 10, 12, 10],
        ),
        (
            Hyperparameters(filters=(32, 8), stem_convolutions=2, dense_units=0),
            [16, 32, 8, 8, 8],
            [2, 8, 10],
        ),
        (
            Hyperparameters(architecture="plain", filters=(4, 8), dense_units=12),
            [4, 8],
            [12, 10],
        ),
    ],
)
def test_the_widths_are_those_of_the_hyperparameters(
    given: Hyperparameters, convolutions: list[int], dense: list[int]
) -> None:
    layers = build_model(given, FASHION).layers
    assert [layer.filters for layer in layers if hasattr(layer, "filters")] == convolutions
    assert [layer.units for layer in layers if hasattr(layer, "units")] == dense


def test_an_ensemble_predicts_the_mean_of_its_members() -> None:
    logits = [tf.random.stateless_normal([5, 10], [seed, 0], stddev=3.0) for seed in range(3)]
    mean = sum(tf.nn.softmax(each) for each in logits) / 3
    np.testing.assert_allclose(tf.nn.softmax(Ensemble()(logits)), mean, atol=1e-6)
    stacked = Ensemble()(logits, training=True)
    np.testing.assert_array_equal(stacked, tf.stack(logits, axis=1))


def test_an_image_and_its_mirror_image_are_predicted_as_the_mean_of_both() -> None:
    alone, averaging = (
        build_model(dataclasses.replace(TINY, members=2, mirror_averaging=given), FASHION)
        for given in (False, True)
    )
    averaging.set_weights(alone.get_weights())
    images = make_examples(8)[0]
    mirrored = images[:, :, ::-1]
    mean = (tf.nn.softmax(alone(images)) + tf.nn.softmax(alone(mirrored))) / 2
    np.testing.assert_allclose(tf.nn.softmax(averaging(images)), mean, atol=1e-6)
    np.testing.assert_allclose(averaging(mirrored), averaging(images), atol=1e-5)
    np.testing.assert_allclose(
        averaging(images, training=True), alone(images, training=True), atol=1e-5
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (4, 4), (2, 4), (3, 9)])
def test_the_gradients_of_a_small_convolution_are_those_of_keras(size: tuple[int, int]) -> None:
    x = tf.random.stateless_normal([6, *size, 5], [1, 2])
    ours = Convolution(7)
    theirs = keras.layers.Conv2D(7, 3, padding="same", use_bias=False)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    found = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y**3)
        found.append([y, *tape.gradient(loss, [x, layer.kernel])])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_each_channel_is_normalized_by_its_own_mean_and_deviation(precision: str) -> None:
    mean, deviation = (10.0, 100.0, 200.0), (5.0, 10.0, 20.0)
    measured = dataclasses.replace(FLAGS, mean=mean, deviation=deviation)
    model = build_model(TINY, measured, precision)
    (layer,) = [each for each in model.layers if isinstance(each, keras.layers.Rescaling)]
    pixels = np.full((1, 32, 32, 3), (15, 80, 200), np.uint8)
    found = tf.cast(layer(pixels), tf.float32)[0, 0, 0]
    np.testing.assert_allclose(found, [1, -2, 0], atol=0.1)


def test_dropout_changes_training_only() -> None:
    model = build_model(dataclasses.replace(TINY, dropout=0.5), FASHION)
    images = make_examples(8)[0]
    np.testing.assert_array_equal(model(images, training=False), model(images, training=False))
    trained = [model(images, training=True).numpy() for _ in range(2)]
    assert (trained[0] != trained[1]).any()


def test_fused_normalization_does_what_that_of_keras_does() -> None:
    x = tf.random.stateless_normal([16, 5, 5, 3], [1, 2], mean=2.0, stddev=3.0)
    ours = FusedBatchNormalization()
    theirs = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, atol=1e-5)
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), rtol=0.01)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(ours(x, training=True) ** 3)
    assert all(gradient is not None for gradient in tape.gradient(loss, ours.trainable_variables))
