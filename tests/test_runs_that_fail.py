"""Runs that come to a bad end: one line says why, and nothing is left behind."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import planted
from tests.command import summary
from tests.fakes.mirror import serve_redirect
from tests.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


def told(project: Project, root: Path, *options: str) -> str:
    done = project.run("--no-cache", *options, root=root)
    assert done.returncode == 1, done.stdout + done.stderr
    assert summary(root)["state"] == "failed"
    assert "Traceback" not in done.stderr
    lines: list[str] = done.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_an_unreachable_source(project: Project, tmp_path: Path) -> None:
    line = told(project, tmp_path, "--source", "http://127.0.0.1:9/")
    assert "Ingest failed" in line
    assert "http://127.0.0.1:9/" in line


def test_with_json_the_summary_of_a_failed_run_is_printed_too(
    project: Project, tmp_path: Path
) -> None:
    done = project.run("--no-cache", "--json", "--source", "http://127.0.0.1:9/", root=tmp_path)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told == summary(tmp_path)
    assert told["state"] == "failed"
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert told["error"] in line


def test_a_source_that_leads_to_a_signed_address(project: Project, tmp_path: Path) -> None:
    place = f"http://somebody:{planted.SECRET}@127.0.0.1:9/a?sig={planted.SECRET}"
    with serve_redirect(place) as url:
        line = told(project, tmp_path / "root", "--source", url)
    assert "Ingest failed" in line
    assert not planted.told(line)
    assert planted.files_that_tell(tmp_path) == []


@pytest.mark.parametrize("source", [planted.IN_ADDRESS, planted.SIGNED])
def test_a_source_with_credentials(project: Project, tmp_path: Path, source: str) -> None:
    for option, parameters in ((source, []), ("", ["-p", f"source={source}"])):
        done = project.run(*parameters, "--verbose", root=tmp_path / "root", source=option)
        assert done.returncode == 2
        assert not planted.told(done.stdout + done.stderr)
    assert planted.files_that_tell(tmp_path) == []


def test_a_corrupt_file(project: Project, tmp_path: Path) -> None:
    source = tmp_path / "corrupt"
    shutil.copytree(project.path / "source", source)
    file = source / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-12])
    line = told(project, tmp_path / "root", "--source", str(source))
    assert "t10k-labels-idx1-ubyte" in line


def test_a_bucket_that_does_not_exist(project: Project, tmp_path: Path) -> None:
    line = told(project, tmp_path, "-p", "bucket_uri=gs://no-such-bucket")
    assert "gs://no-such-bucket" in line


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_everything_it_started(
    how: signal.Signals, project: Project, tmp_path: Path
) -> None:
    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "pipeline", "run"]
    process = subprocess.Popen(
        [*command, *project.arguments(root=tmp_path)],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "Train: started" in line:
            break
    time.sleep(0.5)
    process.send_signal(how)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert "interrupted" in error
    assert summary(tmp_path)["state"] == "interrupted"
    assert not list(tmp_path.glob("runs/*/scratch"))
    assert not processes_that_mention(str(tmp_path))


def test_with_json_the_summary_of_an_interrupted_run_is_printed_too(
    project: Project, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "--json", *project.arguments(root=tmp_path)],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "Ingest: started" in line:
            break
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(told) == summary(tmp_path)
    assert summary(tmp_path)["state"] == "interrupted"


def processes_that_mention(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found
