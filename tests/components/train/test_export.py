import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from components.dataset.description import Description
from components.train.trainer import job
from components.train.trainer.export import digest_of, export
from components.train.trainer.model import build_model
from components.train.trainer.outputs import Folder, Outputs
from components.train.trainer.splits import Split
from tests.idx_files import FASHION

from .conftest import GLYPHS, TINY, make_examples


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    model = build_model(TINY, FASHION)
    directory = tmp_path_factory.mktemp("export") / "a" / "model"
    export(model, directory, FASHION)
    return model, tf.saved_model.load(str(directory))


def test_the_answer_for_pixels_has_the_form_of_the_contract(exported: tuple[Any, Any]) -> None:
    model, loaded = exported
    images = make_examples(5)[0]
    answer = loaded.signatures["serving_default"](image=tf.constant(images))
    assert {name: (value.dtype, value.shape) for name, value in answer.items()} == {
        "probabilities": (tf.float32, (5, 10)),
        "class_id": (tf.int64, (5,)),
        "label": (tf.string, (5,)),
    }
    expected = tf.nn.softmax(model(images)).numpy()
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    assert answer["class_id"].numpy().tolist() == expected.argmax(1).tolist()
    names = [FASHION.classes[index] for index in expected.argmax(1)]
    assert [label.decode() for label in answer["label"].numpy()] == names


@pytest.mark.parametrize(
    ("mode", "form", "size"),
    [("RGBA", "PNG", 28), ("RGB", "JPEG", 28), ("L", "PNG", 280)],
)
def test_a_picture_gets_the_answer_of_its_pixels(
    exported: tuple[Any, Any], mode: str, form: str, size: int
) -> None:
    signatures = exported[1].signatures
    # Smooth, so that JPEG and resizing keep it nearly as it is.
    pixels = np.zeros((28, 28), np.uint8)
    pixels[:, 6:22] = np.add.outer(np.arange(28), np.arange(16)).astype(np.uint8) * 3 + 120
    picture = Image.fromarray(pixels).convert(mode).resize((size, size), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    picture.save(file, form)
    given = signatures["serving_bytes"](image_bytes=tf.constant([file.getvalue()] * 2))
    expected = signatures["serving_default"](image=tf.constant(np.stack([pixels] * 2)))
    exact = form == "PNG" and size == 28
    np.testing.assert_allclose(
        given["probabilities"], expected["probabilities"], atol=1e-6 if exact else 0.05
    )
    assert given["label"].shape == (2,)


def test_other_bytes_than_a_picture_are_refused(exported: tuple[Any, Any]) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="image"):
        exported[1].signatures["serving_bytes"](tf.constant([b"<html>"]))


def test_what_was_trained_in_bfloat16_is_exported_in_float32(
    train: Split, validation: Split, tmp_path: Path
) -> None:
    given = dataclasses.replace(TINY, train_steps=2, precision="bfloat16")
    outcome = job.run(train, validation, given, Outputs(Folder(tmp_path)))
    assert outcome.history["precision"] == "bfloat16"
    saved = saved_model_pb2.SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [node for function in graph.library.function for node in function.node_def]
    kinds = {attr.type for node in [*graph.node, *nodes] for attr in node.attr.values()}
    assert tf.float32.as_datatype_enum in kinds
    assert tf.bfloat16.as_datatype_enum not in kinds
    reader = tf.train.load_checkpoint(str(tmp_path / "variables" / "variables"))
    exact = build_model(TINY, train.measured())
    for index, weight in enumerate(exact.weights):
        weight.assign(reader.get_tensor(f"weights/{index}/.ATTRIBUTES/VARIABLE_VALUE"))
    images = make_examples(20)[0]
    answer = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](tf.constant(images))
    expected = tf.nn.softmax(exact(images) / outcome.facts["temperature"])
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize(
    "blank", [np.zeros((28, 28), np.uint8), np.full((300, 200), 250, np.uint8)]
)
def test_a_picture_that_shows_nothing_is_no_class(exported: tuple[Any, Any], blank: Any) -> None:
    signatures = exported[1].signatures
    file = io.BytesIO()
    Image.fromarray(blank).save(file, "PNG")
    answers = [signatures["serving_bytes"](image_bytes=tf.constant([file.getvalue()]))]
    answers += [signatures["serving_default"](image=tf.zeros([1, 28, 28], tf.uint8))]
    for answer in answers:
        assert answer["class_id"].numpy().tolist() == [-1]
        assert answer["label"].numpy().tolist() == [b""]
        np.testing.assert_allclose(answer["probabilities"], 0.1)


@pytest.mark.parametrize("name", ["serving_default", "serving_bytes", "prepare"])
def test_an_empty_batch_has_an_empty_answer(exported: tuple[Any, Any], name: str) -> None:
    images = name == "serving_default"
    batch = tf.zeros([0, 28, 28], tf.uint8) if images else tf.constant([], tf.string)
    answer = exported[1].signatures[name](batch)
    assert {len(value) for value in answer.values()} == {0}


def test_a_temperature_changes_how_sure_an_answer_is_and_nothing_else(tmp_path: Path) -> None:
    model, images = build_model(TINY, FASHION), make_examples(20)[0]
    answers = []
    for temperature in (1.0, 3.0):
        export(model, tmp_path / str(temperature), FASHION, temperature=temperature)
        loaded = tf.saved_model.load(str(tmp_path / str(temperature)))
        answers.append(loaded.signatures["serving_default"](tf.constant(images)))
    before, after = answers
    assert before["class_id"].numpy().tolist() == after["class_id"].numpy().tolist()
    flat = before["probabilities"] ** (1 / 3)
    expected = flat / tf.reduce_sum(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(after["probabilities"], expected, atol=1e-5)
    assert digest_of(tmp_path / "1.0") != digest_of(tmp_path / "3.0")


def test_the_digest_is_of_weights_and_signatures_whatever_else_the_process_did(
    exported: tuple[Any, Any], tmp_path: Path
) -> None:
    model, _ = exported
    export(model, tmp_path / "first", FASHION)
    again = build_model(TINY, FASHION)
    again.set_weights(model.get_weights())
    export(again, tmp_path / "again", FASHION)
    assert digest_of(tmp_path / "first") == digest_of(tmp_path / "again")
    pb = [(tmp_path / name / "saved_model.pb").read_bytes() for name in ("first", "again")]
    assert pb[0] != pb[1]
    again.weights[0].assign_add(tf.ones_like(again.weights[0]) * 1e-6)
    export(again, tmp_path / "other weights", FASHION)
    module = tf.saved_model.load(str(tmp_path / "first"))
    signatures = {"serving_default": module.signatures["serving_default"]}
    tf.saved_model.save(module, str(tmp_path / "other signatures"), signatures=signatures)
    folders = ("first", "other weights", "other signatures")
    assert len({digest_of(tmp_path / name) for name in folders}) == 3


def test_the_same_network_with_other_class_names_is_another_model(tmp_path: Path) -> None:
    model = build_model(TINY, GLYPHS)
    others = {"A": GLYPHS, "B": dataclasses.replace(GLYPHS, classes=("C", "A", "D", "B"))}
    for name, description in others.items():
        export(model, tmp_path / name, description)
        assert Description.read(tmp_path / name) == description
    assert digest_of(tmp_path / "A") != digest_of(tmp_path / "B")


def test_a_model_that_averages_mirror_images_is_another_than_one_that_does_not(
    tmp_path: Path,
) -> None:
    digests = set()
    for averaging in (True, False):
        folder = tmp_path / str(averaging)
        export(
            build_model(dataclasses.replace(TINY, mirror_averaging=averaging), FASHION),
            folder,
            FASHION,
        )
        digests.add(digest_of(folder))
    assert len(digests) == 2
