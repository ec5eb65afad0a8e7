"""The peers and this project's sides do the same work."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from benchmarks.arithmetic import training_flops
from benchmarks.peers import keras_data, keras_network, naive_records, single_examples
from benchmarks.sides import decode
from components.ingest import fashion_mnist
from components.train.trainer.data_files import official
from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
from components.train.trainer.layers import Ensemble, WithMirrorImages
from components.train.trainer.model import build_model
from components.train.trainer.splits import read_examples
from tests.idx_files import FASHION, write_idx_set

AROUND = (layers.InputLayer, layers.Reshape, layers.Rescaling, WithMirrorImages, Ensemble)
"""What makes floats of pixels, and one answer of one member."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write_idx_set(folder, train_per_class=520)
    return folder


def test_the_same_network_has_the_same_layers_in_the_same_order() -> None:
    def shown(model: keras.Model) -> list[tuple[str, Any, Any]]:
        return [
            (
                type(layer).__name__.removeprefix("Fused").replace("Convolution", "Conv2D"),
                layer.output.shape,
                [weight.shape for weight in layer.weights],
            )
            for layer in model.layers
            if not isinstance(layer, AROUND)
        ]

    accurate = Hyperparameters.of(PRESETS["accurate"])
    ours, theirs = build_model(accurate, FASHION), keras_network.network()
    for own, other in zip(shown(ours), shown(theirs), strict=True):
        assert own == other
    assert training_flops(ours) == training_flops(theirs)
    assert accurate.batch_size == keras_network.BATCH


def test_the_naive_loop_writes_the_examples_that_decode_writes(raw: Path, tmp_path: Path) -> None:
    naive_records.main(str(raw), str(tmp_path / "theirs"))
    decode.main(str(raw), str(tmp_path / "ours"))

    def examples(pattern: str) -> set[tuple[bytes, int]]:
        files = [str(path) for path in sorted(tmp_path.glob(pattern))]
        parsed = tf.data.TFRecordDataset(files).map(single_examples.parse)
        return {(image.numpy().tobytes(), int(label)) for image, label in parsed}

    assert len(examples("theirs/t10k-*")) == 100
    assert examples("theirs/t10k-*") == examples("ours/test/*.tfrecord")


@pytest.mark.parametrize("seed", [0, 3])
def test_a_peer_trains_and_validates_on_the_examples_of_the_presets(
    raw: Path, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_DIRECTORY", str(raw))
    splits = zip(keras_data.load_splits(raw, seed), official(seed, tmp_path), strict=True)
    for (images, labels), own in splits:
        ours = read_examples(own)
        np.testing.assert_allclose(images[..., 0] * 255, ours.images, atol=1e-3)
        np.testing.assert_array_equal(labels, ours.labels)
