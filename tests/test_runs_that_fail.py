"""Runs that come to a bad end: one line says why, and nothing is left behind."""

import json
import shutil
import signal
import time
from pathlib import Path

import pytest
import yaml

from pipeline.runs.record import Run
from tests import light_steps, planted
from tests.command import here, newest_run, start
from tests.fakes.mirror import serve_redirect
from tests.light_steps import light_spec
from tests.small_project import Project, processes_that_mention


@pytest.fixture(autouse=True)
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = planted.service_account(tmp_path.with_suffix(".json"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    for name, value in planted.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "light.yaml"
    path.write_text(yaml.safe_dump(light_spec()))
    return path


def failed(light: Project, spec: Path, root: Path, *options: str) -> str:
    done = here(*light.arguments(root, "--spec", str(spec), *options))
    assert done.returncode == 1, done.stdout + done.stderr
    assert Run.read(newest_run(root)).state == "failed"
    (line,) = done.stderr.strip().splitlines()
    assert not planted.told(done.stdout + done.stderr)
    assert planted.files_that_tell(root) == []
    return str(line)


def test_a_source_that_is_no_data_is_one_line(light: Project, spec: Path, tmp_path: Path) -> None:
    signed = f"http://somebody:{planted.SECRET}@127.0.0.1:9/a?sig={planted.SECRET}"
    with serve_redirect(signed) as url:
        line = failed(light, spec, tmp_path / "root", "--source", url)
    assert "Ingest failed" in line
    source = tmp_path / "corrupt"
    shutil.copytree(light.path / "source", source)
    file = source / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-12])
    line = failed(light, spec, tmp_path / "root", "--source", str(source))
    assert "t10k-labels-idx1-ubyte" in line


@pytest.mark.parametrize("source", [planted.IN_ADDRESS, planted.SIGNED])
def test_a_source_with_credentials_is_refused(spec: Path, tmp_path: Path, source: str) -> None:
    root = str(tmp_path / "root")
    done = here("run", "--spec", str(spec), "--root", root, "--verbose", "--source", source)
    assert done.returncode == 2
    assert not planted.told(done.stdout + done.stderr)
    assert planted.files_that_tell(tmp_path) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_everything_it_started(
    light: Project,
    spec: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: signal.Signals,
) -> None:
    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setenv(light_steps.SECONDS, "60")
    process = start(*light.arguments(tmp_path, "--spec", str(spec), "--json"), cwd=light.path)
    assert process.stderr
    for line in process.stderr:
        if "epoch 1/3" in line:
            break
    assert processes_that_mention(str(tmp_path))
    process.send_signal(how)
    told, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert "interrupted" in error
    assert json.loads(told)["state"] == "interrupted"
    assert json.loads(told) == json.loads((newest_run(tmp_path) / "summary.json").read_text())
    assert not list(tmp_path.glob("runs/*/scratch"))
    deadline = time.monotonic() + 5
    while processes_that_mention(str(tmp_path)):
        assert time.monotonic() < deadline
