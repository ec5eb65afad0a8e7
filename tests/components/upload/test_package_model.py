"""What the registry is told about a version: container, labels, aliases, text, provenance."""

import base64
import io
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.dataset.errors import DataError, ParameterError
from components.evaluate import scores
from components.upload import provenance, vertex_evaluation
from components.upload.containers import OWN as ROUTES
from components.upload.containers import PREBUILT, STOCK, container_spec
from components.upload.package_model import package_model
from pipeline.compiler import ARGUMENT_BYTES, PROJECT
from tests import evaluations
from tests.components.upload.packaging import package
from tests.fakes.vertex import ALIAS, LABEL_KEY, LABEL_VALUE
from tests.idx_files import FASHION

PINS = PROJECT / "serving" / "python310.txt"
OWN = "europe-west4-docker.pkg.dev/project/images/serving@sha256:" + "0" * 64
HOSTILE = (
    "",
    "main",
    "feature/Ärger-über#1",
    'quote " and \\ backslash\nline\tbreak\x00\x7f',
    "{{$.inputs.parameters['labels']}}",
    "-" * 200,
    "Z" * 500,
    "default",
)


def test_an_evaluation_of_an_earlier_version_is_refused(
    evaluation: dict[str, Any], evaluation_file: Path
) -> None:
    del evaluation["dataset"]
    evaluation_file.write_text(json.dumps(evaluation))
    with pytest.raises(DataError, match="of an earlier version; run the pipeline again"):
        package(evaluation_file)


def test_the_step_joins_the_model_with_its_container_and_says_where_it_comes_from(
    evaluation: dict[str, Any], evaluation_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        packaged = package(evaluation_file)
    texts = ("labels", "aliases", "description", "evaluation_name")
    labels, aliases, description, name, unmanaged, figures = (
        packaged[f"package-model-{name}"]
        for name in (*texts, "unmanaged_model", "registry_evaluation")
    )
    assert tuple(package_model.component_spec.outputs)[-4:] == texts
    assert name == "FashionMNIST test set"
    assert labels == {
        "pipeline": "fashion-mnist",
        "dataset": "fashionmnist",
        "accuracy": "0_9365",
        "model_digest": evaluation["model_digest"][:40],
        "git_revision": "57cbf46",
    }
    assert aliases == ["default", "run-1"]
    assert description == (
        "Test accuracy 0.9365, loss 0.1877 on 100 examples; "
        f"version 12 had {evaluation['champion']['accuracy']:.4f}. "
        "Pipeline fashion-mnist, run run-1, revision 57cbf46."
    )
    assert caplog.messages[-1].endswith(description)
    assert unmanaged.uri == "gs://bucket/run/model"
    assert unmanaged.metadata["containerSpec"] == container_spec(STOCK)
    assert unmanaged.metadata["provenance"] == {
        "pipeline": "fashion-mnist",
        "run": "run-1",
        "git_revision": "57cbf46",
        "dataset": "FashionMNIST",
        "metrics": {"accuracy": 0.93649, "loss": 0.18765, "macro_f1": 0.9361, "examples": 100},
        "digests": {
            "model": evaluation["model_digest"],
            "raw": evaluation["dataset"]["digests"],
            "train_records": "7ea1",
            "validation_records": "",
            "test_records": evaluations.DIGEST,
            "code": evaluations.DIGEST,
        },
        "verified": True,
        "parameters": evaluation["training"]["parameters"],
        "versions": {"tensorflow": "2.21.0", "numpy": "2.4.6"},
    }
    assert figures.metadata["model_digest"] == evaluation["model_digest"]
    (overall,) = json.loads(Path(figures.path).read_text())["slicedMetrics"]
    assert overall["metrics"]["classification"]["logLoss"] == 0.18765


def test_a_prebuilt_image_needs_no_port_and_ones_own_has_its_routes() -> None:
    for image in (PREBUILT, "europe-docker.pkg.dev/vertex-ai/prediction/tf2-gpu.2-15:latest"):
        assert container_spec(image) == {"imageUri": image}
    assert container_spec(OWN) == {
        "imageUri": OWN,
        "ports": [{"containerPort": 8080}],
        "predictRoute": "/predict",
        "healthRoute": "/health",
    }
    with pytest.raises(ParameterError, match="serving_image is '', which names no image"):
        container_spec("")


@pytest.mark.parametrize("tag", ["", ":latest", f"@sha256:{'0' * 64}"])
def test_the_server_installs_itself_whatever_names_the_image(tag: str) -> None:
    image = f"{STOCK.partition(':')[0]}{tag}"
    assert container_spec(image)["command"] == container_spec(STOCK)["command"]


def test_an_image_in_which_the_server_cannot_install_itself_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Python 3\.10 only"):
        container_spec("us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-12.py39:latest")


def test_an_image_without_a_server_gets_a_command_that_nothing_on_the_way_changes() -> None:
    spec = container_spec(STOCK)
    (code,) = spec["args"]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(code))) as archive:
        assert archive.read("serving/python310.txt") == PINS.read_bytes()
        assert {"serving/__main__.py", "serving/installing.py"} <= set(archive.namelist())
    assert {"imageUri": STOCK, **ROUTES}.items() <= spec.items()
    for word in (*spec["command"], code):
        assert json.dumps(word) == f'"{word}"', "the upload's launcher escapes nothing"
        assert "$" not in word, "Kubernetes expands $(NAME)"
    # The launcher has it twice in its arguments.
    assert len(json.dumps(spec)) < ARGUMENT_BYTES / 3


@pytest.mark.parametrize("text", HOSTILE)
def test_labels_and_texts_are_valid_whatever_data_revision_and_run_are_called(
    evaluation: dict[str, Any], text: str
) -> None:
    evaluation["dataset"]["name"] = text or "x"
    labels = provenance.labels(evaluation, pipeline_name="fashion-mnist", git_revision=text)
    assert all(LABEL_KEY.fullmatch(key) for key in labels)
    assert all(LABEL_VALUE.fullmatch(value) for value in labels.values()), labels
    assert ("git_revision" in labels) is bool(text)
    said = provenance.description(
        evaluation, pipeline_name="fashion-mnist", git_revision=text, run_id=text
    )
    name = vertex_evaluation.display_name(evaluation)
    assert len(name) <= 128
    assert name.endswith(" test set")
    for each in (said, name):
        assert json.loads(f'{{"text": "{each}"}}') == {"text": each}


@pytest.mark.parametrize("run_id", [*HOSTILE, "a", "7-up", "a-", "--a", "run-" + "y" * 124])
def test_the_alias_of_a_run_is_valid_whatever_its_id(run_id: str) -> None:
    alias = provenance.run_alias(run_id)
    assert ALIAS.fullmatch(alias), alias
    assert alias != provenance.DEFAULT_ALIAS


@pytest.mark.parametrize("length", [44, 128, 129])
def test_an_alias_keeps_the_end_of_a_long_id_where_the_time_is(length: int) -> None:
    run_id = "fashion-mnist-" + "x" * (length - 29) + "-20261124041049"
    alias = provenance.run_alias(run_id)
    assert alias.endswith("xx-20261124041049")
    assert (alias == run_id) is (length <= 128)


def test_the_registry_gets_precision_and_recall_at_each_confidence() -> None:
    generator = np.random.default_rng(7)
    labels = generator.integers(0, 10, 500).astype(np.uint8)
    logits = generator.normal(size=(500, 10)) + 2.0 * np.eye(10)[labels]
    probabilities = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    found = scores.score(probabilities, labels, FASHION.classes)
    found["class_names"] = list(FASHION.classes)
    metrics = vertex_evaluation.classification_metrics(json.loads(json.dumps(found)))
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    entries = metrics["confidenceMetrics"]
    assert [entry["confidenceThreshold"] for entry in entries] == [i / 10 for i in range(10)]
    assert entries[0]["recall"] == pytest.approx(found["accuracy"])
    assert entries[0]["f1ScoreMacro"] == found["macro_f1"]
    for entry in entries:
        claimed = confidence >= entry["confidenceThreshold"]
        hits = int((claimed & right).sum())
        wrong = int(claimed.sum()) - hits
        assert entry["precision"] == pytest.approx(hits / claimed.sum())
        assert entry["recall"] == pytest.approx(hits / 500)
        assert entry["falsePositiveRate"] == pytest.approx(wrong / 4500)
        counts = [entry[f"{kind}{side}Count"] for side in ("Positive", "Negative")
                  for kind in ("true", "false")]  # fmt: skip
        assert counts == [hits, wrong, 4500 - wrong, 500 - hits]
    matrix = metrics["confusionMatrix"]
    assert [spec["displayName"] for spec in matrix["annotationSpecs"]] == list(FASHION.classes)
    assert np.sum(matrix["rows"], axis=1).tolist() == np.bincount(labels, minlength=10).tolist()


def test_a_confidence_that_no_prediction_reaches_is_left_out() -> None:
    unsure = np.full((20, 10), 0.05, np.float32)
    unsure[:, 3] = 0.55
    found = scores.score(unsure, np.full(20, 3, np.uint8), FASHION.classes)
    found["class_names"] = list(FASHION.classes)
    entries = list(vertex_evaluation.confidence_metrics(found))
    assert [entry["confidenceThreshold"] for entry in entries] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
