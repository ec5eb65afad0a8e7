"""Models whose accuracy is known: image k of 100 carries its label and its number as pixels."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.dataset.manifest import write_manifest
from components.dataset.records import frame_records
from tests import evaluations
from tests.idx_files import FASHION

EXAMPLES = 100
COUNTS = {"train": (50,) * 10, "validation": (5,) * 10, "test": (10,) * 10}
ABOUT = dataclasses.replace(FASHION, counts=COUNTS, verified=True)


@pytest.fixture(scope="session")
def test_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("test_records")
    images = np.zeros((EXAMPLES, 28, 28), np.uint8)
    labels = (np.arange(EXAMPLES) % 10).astype(np.uint8)
    images[:, 0, 0], images[:, 0, 1] = labels, np.arange(EXAMPLES)
    for shard, part in enumerate(np.split(np.arange(EXAMPLES), 2)):
        content = frame_records(images[part], labels[part], ABOUT).tobytes()
        (directory / f"test-{shard:05d}-of-00002.tfrecord").write_bytes(content)
    ABOUT.write(directory)
    write_manifest(directory, examples=EXAMPLES)
    return directory


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a SavedModel that is wrong on the first ``wrong`` examples and right on the others."""

    def make(wrong: int, *, answer: float = 0.91, output: str = "probabilities") -> Path:
        import tensorflow as tf

        def serve(image: Any) -> dict[str, Any]:
            label, number = tf.cast(image[:, 0, 0], tf.int64), tf.cast(image[:, 0, 1], tf.int64)
            said = tf.where(number < wrong, (label + 1) % 10, label)
            return {output: tf.one_hot(said, 10, on_value=answer, off_value=0.01)}

        signature = [tf.TensorSpec([None, 28, 28], tf.uint8, name="image")]
        module = tf.Module()
        module.serve = tf.function(serve, input_signature=signature)
        directory = tmp_path_factory.mktemp("model")
        tf.saved_model.save(module, str(directory), signatures={"serving_default": module.serve})
        write_manifest(directory)
        return directory

    return make


@pytest.fixture(scope="session")
def wrong_on_10(make_model: Callable[..., Path]) -> Path:
    return make_model(10)


@pytest.fixture(scope="session")
def wrong_on_15(make_model: Callable[..., Path]) -> Path:
    return make_model(15)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "history"
    facts = {
        "epochs": evaluations.evaluation(per_class=10)["epochs"][:2],
        "parameters": {"seed": 3, "filters": [8, 16]},
        "versions": {"tensorflow": "2.21.0"},
        "code_digest": "c0de" * 16,
    }
    path.write_text(json.dumps(facts))
    return path
