import numpy as np
import pytest

from components.train.trainer.calibration import LIMIT, fit_temperature


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (20_000, 10)).astype(np.float32)
    # The largest of logits with Gumbel noise is a draw from their softmax.
    labels = (logits / temperature + random.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("classes", [2, 10])
def test_few_examples_that_are_all_right_do_not_make_a_network_sure(classes: int) -> None:
    labels = np.arange(20) % classes
    logits = np.eye(classes, dtype=np.float32)[labels] * 30
    scaled = logits / fit_temperature(logits, labels)
    sure = 1 / (1 + (classes - 1) * np.exp(-scaled.max()))
    # One more example may be another class: 1 of 22, spread over all.
    assert sure == pytest.approx(1 - 1 / 22 + 1 / 22 / classes, abs=1e-4)


def test_a_network_that_knows_nothing_gets_the_highest_temperature() -> None:
    logits = np.eye(10, dtype=np.float32)
    assert fit_temperature(logits, (np.arange(10) + 1) % 10) == pytest.approx(LIMIT, rel=1e-6)
