import json
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from kfp.dsl import Artifact, Dataset, Metrics, Model

from components.dataset import folder
from components.dataset.errors import DataError
from components.dataset.manifest import (
    content_digest,
    model_digest,
    read_manifest,
    write_manifest,
)
from components.train.component import train
from components.train.trainer import hardware, job
from components.train.trainer.hyperparameters import HyperparameterError, Hyperparameters
from tests.idx_files import FASHION

from .conftest import TINY, stopped_in

SHORT: dict[str, Any] = {**TINY.as_dict(), "train_steps": 12}


def call(place: Path, records: Path, validation: Path, bucket: str = "", **given: Any) -> Any:
    """Runs the component's function; returns its model, history and metrics."""
    place.mkdir(exist_ok=True)
    model = Model(uri=str(place / "model"))
    history = Artifact(uri=str(place / "history"))
    metrics = Metrics(uri=str(place / "metrics"))
    # Kubeflow copies what is at an artifact's path to its address.
    logs = Artifact(uri="minio://mlpipeline/logs" if bucket else "gs://mlpipeline/logs")
    logs.custom_path = str(place / "logs")
    train.python_func(
        train_records=Dataset(uri=str(records)),
        validation_records=Dataset(uri=str(validation)),
        model=model,
        history=history,
        train_metrics=metrics,
        logs=logs,
        bucket_uri=bucket,
        seed=3,
        hyperparameters={**SHORT, **given},
    )
    assert metrics.metadata == json.loads(Path(metrics.path).read_text())
    return model, json.loads(Path(history.path).read_text()), metrics.metadata


def test_an_interrupted_step_resumes_from_the_bucket_and_leaves_nothing_there(
    train_directory: Path,
    validation_directory: Path,
    bucket: str,
    tmp_path: Path,
    said: pytest.LogCaptureFixture,
) -> None:
    directories = train_directory, validation_directory
    with stopped_in(job, "write_manifest"):
        call(tmp_path / "a", *directories, bucket)
    assert folder.list_files(f"{bucket}/checkpoints")
    model, history, metrics = call(tmp_path / "b", *directories, bucket)
    assert f"resuming after epoch 2 of 2, from {bucket}/checkpoints/" in said.text
    assert not folder.list_files(f"{bucket}/checkpoints")
    check_facts(model, history, metrics, directories)
    logs = {path.parent.name for path in (tmp_path / "b" / "logs").rglob("events.*")}
    assert logs == {"train", "validation"}


def check_facts(model: Any, history: Any, metrics: Any, directories: tuple[Path, Path]) -> None:
    given, last = Hyperparameters.of(SHORT).as_dict(), history["epochs"][-1]
    assert set(tf.saved_model.load(model.path).signatures) == {
        "serving_default",
        "serving_bytes",
        "prepare",
    }
    facts = model.metadata
    assert facts["digest"] == model_digest(Path(model.path))
    assert (facts["framework"], facts["framework_version"]) == ("tensorflow", tf.__version__)
    assert facts["validation_accuracy"] == last["validation_accuracy"]
    assert {name: facts[name] for name in given} == {**given, "filters": "[2, 2]", "epochs": 2}
    assert facts["seed"] == 3
    assert [row["epoch"] for row in history["epochs"]] == [1, 2]
    assert history["parameters"] == {"seed": 3, **given}
    digests = [content_digest(read_manifest(directory)) for directory in directories]
    assert history["data"] == dict(zip(("train", "validation"), digests, strict=True))
    assert set(history["versions"]) == {"tensorflow", "keras", "numpy", "python"}
    assert (history["precision"], history["steps"]) == ("float32", 12)
    assert history["training_seconds"] == sum(row["seconds"] for row in history["epochs"])
    speed = 12 * 32 / history["training_seconds"]
    assert history["images_per_second"] == pytest.approx(speed)
    assert history["parameter_count"] == facts["parameter_count"] > 100
    manifest = read_manifest(Path(model.path))
    for name in ("parameters", "precision", "data", "code_digest", "versions"):
        assert manifest[name] == history[name]
    assert metrics["train_loss"] == last["loss"]
    assert metrics["validation_accuracy"] == last["validation_accuracy"]


@pytest.mark.parametrize("empty", [False, True])
def test_training_on_everything_validates_on_nothing(
    train_directory: Path, validation_directory: Path, tmp_path: Path, empty: bool
) -> None:
    if empty:
        validation_directory = tmp_path / "validation"
        validation_directory.mkdir()
        (validation_directory / "validation-00000-of-00001.tfrecord").write_bytes(b"")
        FASHION.write(validation_directory)
        write_manifest(validation_directory, examples=0)
    model, history, metrics = call(
        tmp_path, train_directory, validation_directory, train_on_validation=not empty
    )
    assert list((tmp_path / "logs").rglob("events.*"))
    assert {row["validation_accuracy"] for row in history["epochs"]} == {None}
    assert not [name for name in metrics if name.startswith("validation")]
    assert "validation_accuracy" not in model.metadata
    # 320 and 60 examples are 11 full batches of 32: the 12th step is a second epoch.
    assert len(history["epochs"]) == 2


def test_what_cannot_be_trained_stops_before_anything_is_written(
    train_directory: Path,
    validation_directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(HyperparameterError, match="augmentation"):
        call(place, train_directory, validation_directory, augmentation="mirror")
    with pytest.raises(DataError, match="unfinished"):
        call(place, empty, validation_directory)
    (empty / "manifest.json").write_text('{"files": []}')
    with pytest.raises(DataError, match=r"no \.tfrecord"):
        call(place, empty, validation_directory)
    monkeypatch.setenv(hardware.ACCELERATORS, "1 NVIDIA_TESLA_T4")
    with pytest.raises(hardware.AcceleratorError, match="NVIDIA_TESLA_T4"):
        call(place, train_directory, validation_directory)
    assert not list(place.iterdir())
