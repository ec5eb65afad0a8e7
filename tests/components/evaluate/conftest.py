"""Models whose accuracy is known: an image carries its label and its number as pixels."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.manifest import write_manifest
from components.dataset.records import frame_records
from tests import evaluations
from tests.idx_files import FASHION

EXAMPLES = 100
COUNTS = {"train": (50,) * 10, "validation": (5,) * 10, "test": (10,) * 10}
ABOUT = dataclasses.replace(FASHION, counts=COUNTS, verified=True)


def write_records(directory: Path, labels: NDArray[np.uint8], about: Description) -> Path:
    """Two shards of at most 256 images, which carry their label and their number as pixels."""
    images = np.zeros((len(labels), about.image_bytes), np.uint8)
    images[:, 0], images[:, 1] = labels, np.arange(len(labels))
    for shard, part in enumerate(np.array_split(np.arange(len(labels)), 2)):
        content = frame_records(images[part], labels[part], about).tobytes()
        (directory / f"test-{shard:05d}-of-00002.tfrecord").write_bytes(content)
    about.write(directory)
    write_manifest(directory, examples=len(labels))
    return directory


@pytest.fixture(scope="session")
def test_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = (np.arange(EXAMPLES) % 10).astype(np.uint8)
    return write_records(tmp_path_factory.mktemp("test_records"), labels, ABOUT)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a SavedModel that is wrong on the first ``wrong`` examples and right on the others."""

    def make(
        wrong: int,
        *,
        about: Description = ABOUT,
        answer: float = 0.91,
        output: str = "probabilities",
    ) -> Path:
        import tensorflow as tf

        classes = len(about.classes)

        def serve(image: Any) -> dict[str, Any]:
            pixels = tf.cast(tf.reshape(image, [-1, about.image_bytes]), tf.int64)
            label, number = pixels[:, 0], pixels[:, 1]
            said = tf.where(number < wrong, (label + 1) % classes, label)
            rest = (1 - answer) / (classes - 1)
            return {output: tf.one_hot(said, classes, on_value=answer, off_value=rest)}

        signature = [tf.TensorSpec([None, *about.shape], tf.uint8, name="image")]
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
