"""The look-up and the upload of the pipeline for Kubeflow, with a real MLflow server."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
import requests
import yaml
from kfp.dsl import HTML, Artifact, Model
from tenacity import Retrying, stop_after_delay, wait_fixed

from components.dataset.errors import ParameterError
from components.dataset.manifest import write_manifest
from components.upload import provenance
from components.upload.mlflow import server
from components.upload.mlflow.component import upload
from components.upload.mlflow.find_champion import find_champion
from components.upload.mlflow.server import MlflowError
from tests import evaluations, mlflow_server
from tests.fakes.server import Handler, LoopbackServer
from tests.mlflow_server import Server
from tests.saved_models import GREY, files, make_described

NAME = "leaves"


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    mlflow_server.skip_without()
    with Server(tmp_path_factory.mktemp("mlflow")).running() as running:
        yield running


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_described(tmp_path_factory.mktemp("model") / "model", GREY, labelled=True)
    write_manifest(directory, model_digest=evaluations.DIGEST)
    return directory


@pytest.fixture
def client(mlflow: Server) -> Any:
    server.prepare(mlflow.address)
    return server.connect(mlflow.address)


@pytest.fixture
def publish(model: Path, tmp_path: Path) -> Callable[..., Model]:
    """Runs the step ``upload`` in this process."""
    evaluation = evaluations.evaluation(about=GREY)

    def run(address: str, name: str, run_id: str, **changes: Any) -> Model:
        place = tmp_path / run_id
        place.mkdir()
        (place / "evaluation").write_text(json.dumps(evaluation | changes))
        (place / "report").write_text("<!doctype html>")
        served = Model(uri="minio://mlpipeline/run/served_model")
        served.custom_path = str(place / "served_model")
        upload.python_func(
            model=Model(uri=str(model)),
            evaluation=Artifact(uri=str(place / "evaluation")),
            report=HTML(uri=str(place / "report")),
            model_name=name,
            tracking_uri=address,
            git_revision="57cbf46",
            run_id=run_id,
            served_model=served,
            inference_service=Artifact(uri=str(place / "inference_service")),
        )
        return served

    return run


def look_up(place: Path, address: str, name: str, alias: str = "champion") -> tuple[bool, Model]:
    champion = Model(uri=str(place / "champion"))
    found = find_champion.python_func(
        model_name=name,
        tracking_uri=address,
        champion_alias=alias,
        champion_uri="",
        champion=champion,
    )
    return found, champion


def test_a_first_model_is_version_1_and_the_champion_which_a_run_finds(
    mlflow: Server, client: Any, publish: Callable[..., Model], tmp_path: Path, model: Path
) -> None:
    there, none = look_up(tmp_path / "before", mlflow.address, NAME)
    assert (there, none.metadata) == (False, {})
    assert json.loads(Path(none.path, "champion.json").read_text()) == {}
    served = publish(mlflow.address, NAME, "run-1")
    assert served.metadata["resourceName"] == f"models:/{NAME}/1"
    assert Path(served.path, "1", "saved_model.pb").is_file()
    there, champion = look_up(tmp_path / "after", mlflow.address, NAME)
    facts = {
        "resourceName": f"models:/{NAME}/1",
        "version": "1",
        "digest": evaluations.DIGEST,
    }
    assert (there, champion.metadata) == (True, facts)
    assert json.loads(Path(champion.path, "champion.json").read_text()) == facts
    assert files(Path(champion.path)) - {"champion.json"} == files(model) - {"assets"}
    version = client.get_model_version(NAME, "1")
    assert version.tags["model_digest"] == evaluations.DIGEST
    assert (version.tags["git_revision"], version.tags["kubeflow_run"]) == ("57cbf46", "run-1")
    run = client.get_run(version.run_id)
    assert run.data.params["filters"] == "[32, 64, 128]"
    assert run.data.metrics["accuracy"] == served.metadata["accuracy"]
    curve = client.get_metric_history(version.run_id, "validation_accuracy")
    assert [point.step for point in curve] == list(range(1, 8))
    kept = {each.path for each in client.list_artifacts(version.run_id)}
    assert {"report.html", "evaluation.json"} <= kept


def test_a_long_training_has_its_whole_curve_apart_from_the_test(
    mlflow: Server, publish: Callable[..., Model], client: Any
) -> None:
    epochs = [
        {"epoch": number, "loss": 1 / number, "accuracy": 0.5, "validation_loss": 1.0}
        for number in range(1, 401)
    ]
    served = publish(mlflow.address, "long", "run-1", epochs=epochs)
    run = client.get_run(client.get_model_version("long", "1").run_id)
    assert run.data.metrics["accuracy"] == served.metadata["accuracy"] != 0.5
    curve = client.get_metric_history(run.info.run_id, "train_loss")
    assert [(point.step, point.value) for point in curve] == [
        (row["epoch"], row["loss"]) for row in epochs
    ]


def test_the_registered_model_answers_as_the_saved_model_does(
    mlflow: Server, publish: Callable[..., Model], client: Any
) -> None:
    import mlflow as package

    publish(mlflow.address, "answers", "run-a")
    loaded = package.pyfunc.load_model("models:/answers@champion")
    images = np.zeros((3, *GREY.shape), np.uint8)
    images[1, 2], images[2, 0] = 255, 255
    found = loaded.predict(images)
    assert found["class_id"].tolist() == [-1, 2, 0]
    assert found["label"].tolist() == ["", "elm", "ash"]
    assert found["probabilities"].shape == (3, len(GREY.classes))
    with pytest.raises(package.exceptions.MlflowException, match="uint8"):
        loaded.predict(images.astype(np.float64))


@pytest.mark.soak
def test_mlflow_serves_the_registered_model(
    mlflow: Server, publish: Callable[..., Model], tmp_path: Path
) -> None:
    publish(mlflow.address, "served", "run-1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"),
        *("--model-uri", "models:/served@champion", "--host", "127.0.0.1", "--port", str(port)),
    ]
    own = {"MLFLOW_TRACKING_URI": mlflow.address, "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **own}, start_new_session=True
    )
    images = np.zeros((2, *GREY.shape), np.uint8)
    images[1, 2] = 255
    try:
        for wait in Retrying(stop=stop_after_delay(90), wait=wait_fixed(0.5)):
            with wait:
                found = requests.post(
                    f"http://127.0.0.1:{port}/invocations",
                    json={"inputs": images.tolist()},
                    timeout=30,
                ).json()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert found["predictions"]["label"] == ["", "elm"]
    assert found["predictions"]["class_id"] == [-1, 2]


def test_the_alias_decides_and_one_that_was_moved_by_hand_counts(
    mlflow: Server, publish: Callable[..., Model], client: Any, tmp_path: Path
) -> None:
    for run_id in ("run-1", "run-2"):
        publish(mlflow.address, "moved", run_id)
    assert look_up(tmp_path / "a", mlflow.address, "moved")[1].metadata["version"] == "2"
    client.set_registered_model_alias("moved", "champion", "1")
    client.set_registered_model_alias("moved", "production", "2")
    for alias, version in (("champion", "1"), ("production", "2"), ("2", "2")):
        found = look_up(tmp_path / f"b-{alias}", mlflow.address, "moved", alias)
        assert found[1].metadata["version"] == version
    assert look_up(tmp_path / "c", mlflow.address, "moved", "none")[1].metadata == {}
    with pytest.raises(MlflowError, match=r"no version with alias 'stage'; .*production \(2\)"):
        look_up(tmp_path / "d", mlflow.address, "moved", "stage")
    publish(mlflow.address, "moved", "run-3")
    assert client.get_registered_model("moved").aliases == {"champion": "3", "production": "2"}


def test_the_same_run_makes_one_version_however_often_it_starts(
    mlflow: Server, publish: Callable[..., Model], client: Any, tmp_path: Path
) -> None:
    publish(mlflow.address, "again", "run-1")
    client.delete_registered_model_alias("again", "champion")
    for path in sorted((tmp_path / "run-1").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "run-1").rmdir()
    assert publish(mlflow.address, "again", "run-1").metadata["version"] == "1"
    assert client.get_registered_model("again").aliases == {"champion": "1"}


def test_two_writers_make_two_versions_and_the_newer_one_is_the_champion(
    mlflow: Server, publish: Callable[..., Model], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote = type(client).set_registered_model_alias
    promoted = []

    def slow(self: Any, name: str, alias: str, version: str) -> None:
        promoted.append(version)
        if version == "1":
            publish(mlflow.address, "both", "run-2")
        promote(self, name, alias, version)

    monkeypatch.setattr(type(client), "set_registered_model_alias", slow)
    assert publish(mlflow.address, "both", "run-1").metadata["version"] == "1"
    assert promoted == ["1", "2", "2"]
    assert client.get_registered_model("both").aliases == {"champion": "2"}


def test_a_name_may_have_other_characters(
    mlflow: Server, publish: Callable[..., Model], tmp_path: Path
) -> None:
    name = "it's 100% bäume #1 & \\more"
    publish(mlflow.address, name, "run-1")
    assert look_up(tmp_path, mlflow.address, name)[1].metadata["version"] == "1"


def test_kubeflows_own_plugin_signs_in_at_its_server_alone(
    mlflow: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://plugin.invalid:5000")
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "kubernetes-namespaced")
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    assert look_up(tmp_path / "a", mlflow.address, "plugin") == (False, ANY)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.address)
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "kubernetes-namespaced")
    with pytest.raises(MlflowError, match="Kubernetes"):
        look_up(tmp_path / "b", mlflow.address, "plugin")


def test_a_server_that_goes_away_leaves_the_champion_and_is_one_line(
    publish: Callable[..., Model],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mlflow_server.skip_without()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    own = Server(tmp_path_factory.mktemp("away"))
    with own.running():
        publish(own.address, NAME, "run-1")
        describe = provenance.description

        def killed(*given: Any, **more: Any) -> str:
            own.kill()
            return describe(*given, **more)

        monkeypatch.setattr(provenance, "description", killed)
        with pytest.raises(MlflowError, match=f"^MLflow's server at {own.address} does not answer"):
            publish(own.address, NAME, "run-2")
        with pytest.raises(MlflowError, match="could not look up the model 'leaves'") as caught:
            look_up(tmp_path / "a", own.address, NAME)
        assert "\n" not in str(caught.value)
    with own.running():
        assert look_up(tmp_path / "b", own.address, NAME)[1].metadata["version"] == "1"


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (401, b"You are not authenticated.", "401"),
        (403, b'{"error_code": "PERMISSION_DENIED", "message": "not yours"}', "not yours"),
    ],
)
def test_a_refusal_says_which_variables_the_steps_need(
    status: int, content: bytes, words: str, tmp_path: Path, publish: Callable[..., Model]
) -> None:
    class Refusing(Handler):
        def do_GET(self) -> None:
            self.answer(status, {}, content)

        do_POST = do_GET

    with LoopbackServer(Refusing) as refusing:
        address = refusing.url
        for step in (look_up, lambda _, *given: publish(*given, "run-1")):
            with pytest.raises(MlflowError, match="MLFLOW_TRACKING_USERNAME") as caught:
                step(tmp_path, address, NAME)
            assert words in str(caught.value)


def test_a_name_that_the_server_does_not_know_is_no_missing_password(
    mlflow: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a proxy the server gets the request for another name.
    monkeypatch.setenv("http_proxy", mlflow.address)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(MlflowError, match="add mlflow:5000 to its --allowed-hosts") as caught:
        look_up(tmp_path, "http://mlflow:5000", NAME)
    assert "PASSWORD" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (404, b"<html>404 Not Found</html>"),
        (404, b'{"detail": "Not Found"}'),
        (200, b"<html>Sign in</html>"),
        (200, b"{}"),
        (200, b""),
    ],
)
def test_what_is_not_mlflow_is_never_no_champion(
    status: int, content: bytes, tmp_path: Path
) -> None:
    class Another(Handler):
        def do_GET(self) -> None:
            self.answer(status, {}, content)

    with LoopbackServer(Another) as another, pytest.raises(MlflowError, match="check tracking_uri"):
        look_up(tmp_path, another.url, NAME)


def test_a_server_that_says_nothing_is_waited_for_as_long_as_the_variables_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MlflowError, match="does not answer"):
            look_up(tmp_path, address, NAME)


def test_a_model_without_a_version_has_no_champion(
    mlflow: Server, client: Any, tmp_path: Path
) -> None:
    client.create_registered_model("empty")
    assert look_up(tmp_path, mlflow.address, "empty")[1].metadata == {}


@pytest.mark.parametrize(
    ("name", "address", "alias"),
    [
        ("a/b", "http://127.0.0.1:1", "champion"),
        ("a?b", "http://127.0.0.1:1", "champion"),
        ("leaves", "http://127.0.0.1:1", "v1"),
        ("leaves", "http://127.0.0.1:1", "latest"),
        ("leaves", "http://user:s3cret@127.0.0.1:1", "champion"),
        ("leaves", "sqlite:///x", "champion"),
    ],
)
def test_names_that_mlflow_does_not_take_are_refused(
    name: str, address: str, alias: str, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError) as caught:
        look_up(tmp_path, address, name, alias)
    assert "s3cret" not in str(caught.value)


def test_without_a_server_the_model_is_an_artifact_with_a_manifest_for_kserve(
    publish: Callable[..., Model], tmp_path: Path
) -> None:
    served = publish("", "Autumn Leaves", "run-1")
    assert served.metadata.keys() == {"digest", "accuracy"}
    manifest = yaml.safe_load((tmp_path / "run-1" / "inference_service").read_text())
    assert manifest["kind"] == "InferenceService"
    assert manifest["metadata"]["name"] == "autumn-leaves"
    assert manifest["metadata"]["annotations"]["fashion-mnist/dataset"] == "Leaves"
    predictor = manifest["spec"]["predictor"]["model"]
    assert predictor["storageUri"] == "s3://mlpipeline/run/served_model"
    assert predictor["modelFormat"] == {"name": "tensorflow"}
