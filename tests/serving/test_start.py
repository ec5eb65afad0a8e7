"""How the server starts and ends."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.dataset import folder
from pipeline.local import emulator
from tests.saved_models import make_model

from .conftest import Server, serving, start
from .test_server import classes, pixels

MODEL = f"gs://{emulator.LOCAL_BUCKET}/run-1/model"


@pytest.fixture
def bucket(classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with emulator.serve(tmp_path / "bucket") as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        folder.publish(classifier, MODEL)
        yield address


def test_it_is_healthy_when_it_can_answer_and_not_before(bucket: str, tmp_path: Path) -> None:
    del bucket
    with serving(tmp_path, MODEL) as server:
        assert server.health() == 503
        early = server.ask({"instances": [pixels()]})
        assert (early.status_code, early.json()) == (503, {"error": "the model is still loading"})
        server.wait_until_ready()
        assert classes(server.ask({"instances": [pixels(1)]})) == [1]
        assert server.stop() == 0


def test_a_request_that_is_open_when_the_server_is_stopped_gets_its_answer(
    classifier: Path, tmp_path: Path
) -> None:
    body = b'{"instances": []}'
    head = f"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(tmp_path, classifier) as server:
        server.wait_until_ready()
        with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":")[-1]))) as client:
            client.sendall(head.encode() + body[:5])
            time.sleep(0.3)
            server.process.terminate()
            time.sleep(0.3)
            client.sendall(body[5:])
            answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b'{"predictions":[]}')
        assert server.process.wait(60) == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"AIP_STORAGE_URI": ""}, "AIP_STORAGE_URI is not set; it names the model's folder"),
        ({"AIP_STORAGE_URI": "s3://bucket/model"}, "an address that starts with s3:// cannot be"),
        ({"AIP_HTTP_PORT": "http"}, "AIP_HTTP_PORT is 'http'; it must be a port's number"),
        ({"AIP_HTTP_PORT": "70000"}, "AIP_HTTP_PORT is '70000'; it must be a port's number"),
        ({"SERVING_HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1:0 ("),
        ({"AIP_HEALTH_ROUTE": "/predict"}, "they must differ and begin with /"),
        ({"AIP_PREDICT_ROUTE": "predict"}, "they must differ and begin with /"),
        ({"SERVING_LOG_LEVEL": "loud"}, "SERVING_LOG_LEVEL is 'loud'; it can be DEBUG, INFO, WAR"),
    ],
)
def test_what_the_server_cannot_do_ends_it_with_one_line(
    given: dict[str, str], reason: str, tmp_path: Path
) -> None:
    ended(start(tmp_path, tmp_path, environment=given), reason)


def test_a_folder_without_a_model_ends_it_with_one_line(tmp_path: Path) -> None:
    ended(start(tmp_path, tmp_path / "none"), "none holds no saved_model.pb")


def test_a_damaged_model_ends_it(tmp_path: Path) -> None:
    server = start(tmp_path, make_model(tmp_path / "model"))
    assert server.process.wait(60) == 1
    assert "Traceback" in server.log.read_text()


def test_an_object_that_is_missing_ends_it_with_one_line(bucket: str, tmp_path: Path) -> None:
    del bucket
    ended(start(tmp_path, f"{MODEL}/none"), "holds no saved_model.pb")


def ended(server: Server, reason: str) -> None:
    assert server.process.wait(60) == 1
    *listening, line = server.log.read_text().splitlines()
    assert reason in line
    assert all("listening" in line for line in listening)
