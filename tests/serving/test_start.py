"""The serving container's start, with a stand-in for TensorFlow Serving that says its command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.dataset import folder
from components.upload.containers import OWN
from pipeline.compiler import PROJECT
from pipeline.local import emulator

MODEL = f"gs://{emulator.LOCAL_BUCKET}/run-1/model"
ENVIRONMENT = {
    "AIP_STORAGE_URI": MODEL,
    "AIP_HTTP_PORT": str(OWN["ports"][0]["containerPort"]),
    "AIP_HEALTH_ROUTE": OWN["healthRoute"],
    "AIP_PREDICT_ROUTE": OWN["predictRoute"],
}
SERVER = """#!/bin/sh
printf "%s\\n" "$@"
cd "${4#--model_base_path=}" && find . -type f | sort
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What serving/Dockerfile copies into the image, and the stand-in on the path."""
    root = tmp_path / "image"
    for line in (PROJECT / "serving" / "Dockerfile").read_text().replace("\\\n", "").splitlines():
        if line.startswith("COPY ") and "--from" not in line and "/tmp/" not in line:
            source, target = line.split()[1:]
            copied = root / target / (Path(source).name if target.endswith("/") else "")
            copied.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (PROJECT / source).is_dir() else shutil.copy
            copy(PROJECT / source, copied)
    server = root / "bin" / "tensorflow_model_server"
    server.parent.mkdir()
    server.write_text(SERVER)
    server.chmod(0o755)
    return root


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    model = tmp_path / "model"
    (model / "variables").mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    (model / "variables" / "variables.index").write_bytes(b"index")
    with emulator.serve(tmp_path / "bucket") as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        folder.publish(model, MODEL)
        yield address


def start(context: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    path = f"{context / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIP_")}
    return subprocess.run(
        [sys.executable, "start.py"],
        cwd=context,
        env={**kept, **ENVIRONMENT, **given, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_server_gets_port_name_and_the_model_under_a_version(context: Path, host: str) -> None:
    done = start(context, STORAGE_EMULATOR_HOST=host)
    assert done.returncode == 0, done.stderr
    *flags, place, graph, variables = done.stdout.splitlines()
    assert flags == ["--rest_api_port=8080", "--port=0", "--model_name=fashion-mnist"]
    assert place.startswith("--model_base_path=")
    assert (graph, variables) == ("./1/saved_model.pb", "./1/variables/variables.index")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"AIP_STORAGE_URI": ""}, "AIP_STORAGE_URI is not set"),
        ({"AIP_HTTP_PORT": "http"}, "AIP_HTTP_PORT is 'http'; it must be a port's number"),
        ({"AIP_HEALTH_ROUTE": "/health"}, "TensorFlow Serving has only /v1/models/NAME"),
        ({"AIP_PREDICT_ROUTE": "/v1/models/other:predict"}, "upload the model with these"),
        ({"AIP_STORAGE_URI": f"{MODEL}/none"}, "holds no saved_model.pb"),
        ({"AIP_STORAGE_URI": "s3://bucket/model"}, "an address that starts with s3:// cannot be"),
    ],
)
def test_what_the_container_cannot_do_ends_it_with_one_line(
    context: Path, host: str, given: dict[str, str], reason: str
) -> None:
    done = start(context, STORAGE_EMULATOR_HOST=host, **given)
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
