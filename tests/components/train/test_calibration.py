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


def test_a_network_that_is_always_right_gets_the_lowest_temperature() -> None:
    logits = np.eye(10, dtype=np.float32)
    assert fit_temperature(logits, np.arange(10)) == pytest.approx(1 / LIMIT, rel=1e-6)
