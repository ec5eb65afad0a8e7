import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Metrics, Model

from components.dataset.code import code_digest
from components.dataset.errors import DataError
from components.dataset.facts import SPLITS
from components.dataset.folder import list_files
from components.dataset.manifest import content_digest, read_manifest
from components.decode.conversion import Options, convert
from components.train.component import train
from components.train.trainer.util import HyperparameterError, Hyperparameters
from pipeline.local import emulator
from tests import local_runner
from tests.idx_files import write_idx_set

SHORT = {"filters": [4, 8], "batch_size": 32, "train_steps": 12, "precision": "float32"}


def call(folder: Path, train_directory: Path, validation_directory: Path, **given: Any) -> Any:
    """Runs the component's function; returns its model, history and metrics artifacts."""
    folder.mkdir(exist_ok=True)
    model = Model(uri=str(folder / "model"))
    history = Artifact(uri=str(folder / "history"))
    metrics = Metrics(uri=str(folder / "metrics"))
    train.python_func(
        train_records=Dataset(uri=str(train_directory)),
        validation_records=Dataset(uri=str(validation_directory)),
        model=model,
        history=history,
        train_metrics=metrics,
        logs=Artifact(uri=str(folder / "logs")),
        **{**SHORT, **given},
    )
    return model, history, metrics


@pytest.fixture(scope="module")
def outputs(
    train_directory: Path, validation_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp("outputs")
    return call(folder, train_directory, validation_directory, seed=3)


def test_the_model_is_finished_and_labelled(outputs: Any) -> None:
    model, history, _ = outputs
    manifest = read_manifest(Path(model.path))
    facts = model.metadata
    assert facts["digest"] == content_digest(manifest)
    assert facts["framework"] == "tensorflow"
    assert facts["framework_version"] == tf.__version__
    assert (facts["precision"], facts["epochs"]) == ("float32", 2)
    curve = json.loads(Path(history.path).read_text())["epochs"]
    assert facts["validation_accuracy"] == curve[-1]["validation_accuracy"]
    assert set(tf.saved_model.load(model.path).signatures) == {"serving_default", "serving_bytes"}


def test_the_history_tells_everything_about_the_run(
    outputs: Any, train_directory: Path, validation_directory: Path
) -> None:
    history = json.loads(Path(outputs[1].path).read_text())
    assert [row["epoch"] for row in history["epochs"]] == [1, 2]
    assert set(history["epochs"][0]) == {
        "epoch",
        "seconds",
        "learning_rate",
        "loss",
        "accuracy",
        "validation_loss",
        "validation_accuracy",
    }
    assert (
        history["parameters"]
        == Hyperparameters(
            filters=(4, 8), batch_size=32, train_steps=12, precision="float32", seed=3
        ).as_dict()
    )
    assert history["data"] == {
        "train": content_digest(read_manifest(train_directory)),
        "validation": content_digest(read_manifest(validation_directory)),
    }
    assert history["code_digest"] == code_digest("components.train.trainer.job")
    assert set(history["versions"]) == {"tensorflow", "keras", "numpy", "python"}
    assert (history["precision"], history["steps"]) == ("float32", 12)
    assert history["training_seconds"] == sum(row["seconds"] for row in history["epochs"])
    trained = 12 * 32 / sum(row["seconds"] for row in history["epochs"])
    assert history["images_per_second"] == pytest.approx(trained)
    assert history["parameter_count"] == outputs[0].metadata["parameter_count"] > 1000


def test_the_metrics_stand_in_the_artifact_and_in_its_file(outputs: Any) -> None:
    _, history, metrics = outputs
    written = json.loads(Path(metrics.path).read_text())
    assert metrics.metadata == written
    last = json.loads(Path(history.path).read_text())["epochs"][-1]
    assert written["train_loss"] == last["loss"]
    assert written["validation_accuracy"] == last["validation_accuracy"]


def test_the_logs_are_beside_the_other_outputs(outputs: Any) -> None:
    folder = Path(outputs[0].path).parent / "logs"
    assert {path.parent.name for path in folder.rglob("events.*")} == {"train", "validation"}


def test_training_on_everything_validates_on_nothing(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    model, history, metrics = call(
        tmp_path, train_directory, validation_directory, train_on_validation=True
    )
    told = json.loads(Path(history.path).read_text())
    assert {row["validation_accuracy"] for row in told["epochs"]} == {None}
    assert not {name for name in metrics.metadata if name.startswith("validation")}
    assert "validation_accuracy" not in model.metadata
    # 320 and 60 examples are 11 full batches of 32: the 12th step is a second epoch.
    assert [row["epoch"] for row in told["epochs"]] == [1, 2]


@pytest.mark.parametrize("train_on_validation", [False, True])
def test_without_validation_examples_it_trains_and_validates_on_nothing(
    train_on_validation: bool, tmp_path: Path
) -> None:
    write_idx_set(tmp_path / "raw", 10, 1)
    decoded = {split: tmp_path / split for split in SPLITS}
    convert(str(tmp_path / "raw"), decoded, Options(shards=2, validation_examples=0))
    _, history, metrics = call(
        tmp_path / "out",
        decoded["train"],
        decoded["validation"],
        train_on_validation=train_on_validation,
    )
    told = json.loads(Path(history.path).read_text())
    assert {row["validation_accuracy"] for row in told["epochs"]} == {None}
    assert not {name for name in metrics.metadata if name.startswith("validation")}


def test_a_bad_hyperparameter_stops_before_anything_is_written(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    with pytest.raises(HyperparameterError, match="augmentation"):
        call(tmp_path, train_directory, validation_directory, augmentation="mirror")
    assert not list(tmp_path.iterdir())


def test_records_without_a_manifest_are_refused(validation_directory: Path, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    with pytest.raises(DataError, match="unfinished"):
        call(tmp_path / "out", tmp_path / "records", validation_directory)


def test_defaults_are_those_of_the_hyperparameters() -> None:
    parameters = inspect.signature(train.python_func).parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    assert defaults == {**Hyperparameters().as_dict(), "bucket_uri": ""}


def test_the_local_runner_trains(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    @dsl.pipeline(name="only-train")
    def only_train(train_uri: str, validation_uri: str) -> None:
        records = dsl.importer(artifact_uri=train_uri, artifact_class=Dataset)
        validation = dsl.importer(artifact_uri=validation_uri, artifact_class=Dataset)
        train(train_records=records.output, validation_records=validation.output, **SHORT)

    run = local_runner.runnable(only_train, tmp_path)
    local_runner.start(tmp_path)
    run(train_uri=str(train_directory), validation_uri=str(validation_directory))
    (told,) = tmp_path.glob("**/train/executor_output.json")
    artifacts = json.loads(told.read_text())["artifacts"]
    assert set(artifacts) == {"model", "history", "train_metrics", "logs"}
    model = artifacts["model"]["artifacts"][0]
    assert model["metadata"]["epochs"] == 2
    assert (Path(model["uri"]) / "saved_model.pb").is_file()


def weights(model: Model) -> dict[str, bytes]:
    # Not the files: they also have the names of layers, which count on within a process.
    reader = tf.train.load_checkpoint(f"{model.path}/variables/variables")
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("weights")]
    return {name: reader.get_tensor(name).tobytes() for name in names}


def test_a_step_goes_on_from_its_checkpoints_also_when_it_had_ended(
    train_directory: Path,
    validation_directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from components.train.trainer import checkpoints

    bucket = f"gs://{emulator.LOCAL_BUCKET}"
    save, seen = checkpoints.Checkpoints.save, []

    def stop_after_the_first(self: Any) -> None:
        save(self)
        seen.append(list_files(f"{bucket}/checkpoints"))
        if len(seen) == 1:
            raise InterruptedError

    monkeypatch.setattr(checkpoints.Checkpoints, "save", stop_after_the_first)
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        given = {"bucket_uri": bucket, "train_steps": 25}
        with pytest.raises(InterruptedError):
            call(tmp_path / "first", train_directory, validation_directory, **given)
        again = call(tmp_path / "again", train_directory, validation_directory, **given)
        third = call(tmp_path / "third", train_directory, validation_directory, **given)
        # The first epoch was not trained a second time, the others not a third time.
        assert len(seen) == 3
        call(tmp_path / "other", train_directory, validation_directory, **given, seed=1)
    curves = [json.loads(Path(each[1].path).read_text())["epochs"] for each in (again, third)]
    assert curves[0] == curves[1]
    assert len(curves[0]) == 3
    assert weights(again[0]) == weights(third[0]) != {}
    folders = [{address.rsplit("/", 1)[0] for address in each} for each in seen]
    assert len(folders[0]) == 1
    assert folders[0] == folders[2]
    # It had ended well, so another training has removed its checkpoints.
    assert folders[3].isdisjoint(folders[0])
    assert all(re.fullmatch(rf"{bucket}/checkpoints/[0-9a-f]{{16}}", name) for name in folders[3])
