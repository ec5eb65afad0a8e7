import json
import logging
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Metrics, Model

from components.dataset import folder
from components.dataset.errors import DataError
from components.dataset.facts import SPLITS
from components.dataset.manifest import content_digest, model_digest, read_manifest
from components.decode.conversion import Options, convert
from components.train.component import train
from components.train.trainer import checkpoints, hardware
from components.train.trainer.hyperparameters import HyperparameterError, Hyperparameters
from pipeline.local import emulator
from tests import local_runner
from tests.idx_files import write_idx_set

SHORT: dict[str, Any] = {
    "filters": [4, 8],
    "batch_size": 32,
    "train_steps": 12,
    "precision": "float32",
}


def call(place: Path, records: Path, validation: Path, bucket: str = "", **given: Any) -> Any:
    """Runs the component's function; returns its model, history and metrics."""
    place.mkdir(exist_ok=True)
    model = Model(uri=str(place / "model"))
    history = Artifact(uri=str(place / "history"))
    metrics = Metrics(uri=str(place / "metrics"))
    train.python_func(
        train_records=Dataset(uri=str(records)),
        validation_records=Dataset(uri=str(validation)),
        model=model,
        history=history,
        train_metrics=metrics,
        logs=Artifact(uri=str(place / "logs")),
        bucket_uri=bucket,
        seed=3,
        hyperparameters={**SHORT, **given},
    )
    assert metrics.metadata == json.loads(Path(metrics.path).read_text())
    return model, json.loads(Path(history.path).read_text()), metrics.metadata


def test_the_model_history_and_metrics_say_how_it_was_trained(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    model, history, metrics = call(tmp_path, train_directory, validation_directory)
    given, last = Hyperparameters.of(SHORT).as_dict(), history["epochs"][-1]
    assert set(tf.saved_model.load(model.path).signatures) == {"serving_default", "serving_bytes"}
    facts = model.metadata
    assert facts["digest"] == model_digest(Path(model.path))
    assert (facts["framework"], facts["framework_version"]) == ("tensorflow", tf.__version__)
    assert facts["validation_accuracy"] == last["validation_accuracy"]
    assert {name: facts[name] for name in given} == {**given, "filters": "[4, 8]", "epochs": 2}
    assert facts["seed"] == 3
    assert [row["epoch"] for row in history["epochs"]] == [1, 2]
    assert history["parameters"] == {"seed": 3, **given}
    splits = {"train": train_directory, "validation": validation_directory}
    assert history["data"] == {
        name: content_digest(read_manifest(directory)) for name, directory in splits.items()
    }
    assert set(history["versions"]) == {"tensorflow", "keras", "numpy", "python"}
    assert (history["precision"], history["steps"]) == ("float32", 12)
    assert history["training_seconds"] == sum(row["seconds"] for row in history["epochs"])
    speed = 12 * 32 / history["training_seconds"]
    assert history["images_per_second"] == pytest.approx(speed)
    assert history["parameter_count"] == facts["parameter_count"] > 1000
    manifest = read_manifest(Path(model.path))
    for name in ("parameters", "precision", "data", "code_digest", "versions"):
        assert manifest[name] == history[name]
    assert metrics["train_loss"] == last["loss"]
    assert metrics["validation_accuracy"] == last["validation_accuracy"]
    logs = {path.parent.name for path in (tmp_path / "logs").rglob("events.*")}
    assert logs == {"train", "validation"}


def test_training_on_everything_validates_on_nothing(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    model, history, metrics = call(
        tmp_path, train_directory, validation_directory, train_on_validation=True
    )
    assert {row["validation_accuracy"] for row in history["epochs"]} == {None}
    assert not [name for name in metrics if name.startswith("validation")]
    assert "validation_accuracy" not in model.metadata
    # 320 and 60 examples are 11 full batches of 32: the 12th step is a second epoch.
    assert [row["epoch"] for row in history["epochs"]] == [1, 2]


@pytest.mark.parametrize("train_on_validation", [False, True])
def test_without_validation_examples_it_validates_on_nothing(
    train_on_validation: bool, tmp_path: Path
) -> None:
    write_idx_set(tmp_path / "raw", 10, 1)
    decoded = {split: tmp_path / split for split in SPLITS}
    convert(str(tmp_path / "raw"), decoded, Options(shards=2, validation_examples=0))
    splits = decoded["train"], decoded["validation"]
    given: Any = {"train_steps": 2, "train_on_validation": train_on_validation}
    _, history, _ = call(tmp_path / "out", *splits, **given)
    assert {row["validation_accuracy"] for row in history["epochs"]} == {None}


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
    monkeypatch.setenv(hardware.ACCELERATORS, "1 NVIDIA_TESLA_T4")
    with pytest.raises(hardware.AcceleratorError, match="NVIDIA_TESLA_T4"):
        call(place, train_directory, validation_directory)
    assert not list(place.iterdir())


def test_an_interrupted_step_resumes_from_the_bucket_and_leaves_nothing_there(
    train_directory: Path,
    validation_directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bucket = f"gs://{emulator.LOCAL_BUCKET}"
    save = checkpoints.Checkpoints.save

    def stop(self: Any) -> None:
        save(self)
        raise InterruptedError

    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        with monkeypatch.context() as patch, pytest.raises(InterruptedError):
            patch.setattr(checkpoints.Checkpoints, "save", stop)
            call(tmp_path / "a", train_directory, validation_directory, bucket)
        assert folder.list_files(f"{bucket}/checkpoints")
        with caplog.at_level(logging.INFO, "components.train.trainer"):
            call(tmp_path / "b", train_directory, validation_directory, bucket)
        assert f"resuming after epoch 1 of 2, from {bucket}/checkpoints/" in caplog.text
        assert not folder.list_files(f"{bucket}/checkpoints")


def test_the_compiled_component_trains(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    @dsl.pipeline(name="only-train")
    def only_train(train_uri: str, validation_uri: str) -> None:
        records = dsl.importer(artifact_uri=train_uri, artifact_class=Dataset)
        validation = dsl.importer(artifact_uri=validation_uri, artifact_class=Dataset)
        train(
            train_records=records.output,
            validation_records=validation.output,
            hyperparameters=SHORT,
        )

    run = local_runner.runnable(only_train, tmp_path)
    local_runner.start(tmp_path)
    run(train_uri=str(train_directory), validation_uri=str(validation_directory))
    (said,) = tmp_path.glob("**/train/executor_output.json")
    artifacts = json.loads(said.read_text())["artifacts"]
    assert set(artifacts) == {"model", "history", "train_metrics", "logs"}
    model = artifacts["model"]["artifacts"][0]
    assert (model["metadata"]["epochs"], model["metadata"]["filters"]) == (2, "[4, 8]")
    assert (Path(model["uri"]) / "saved_model.pb").is_file()
