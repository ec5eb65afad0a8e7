"""The whole flow of the cloud, offline: submitted, run by the far end, followed to its end.

The command is a process of its own with Google's real clients and the credentials of a machine
on Google Cloud, from a loopback port. The server runs the submitted spec with the local runner.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import fashion_mnist, versions
from tests.fakes.cloud import Cloud, serve_cloud
from tests.fakes.mirror import serve_mirror
from tests.fakes.pipeline_run import RunsHere
from tests.fakes.wire import Fault
from tests.idx_files import write_idx_set
from tests.pipeline.vertex.jobs import JOB, add_job, ended, step

BUCKET = "fashion-mnist-local"
"""The far end's bucket, which the storage emulator serves to the steps."""
SMALL = (
    *("validation_examples=20", "shards=1", "batch_size=20", "filters=[4, 8]", "dense_units=8"),
    *("epochs=1", "precision=float32", "min_accuracy=0"),
)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with serve_cloud() as cloud:
        cloud.buckets.locations[BUCKET] = "EUROPE-WEST4"
        yield cloud


def test_a_submitted_run_ends_with_a_model_in_the_registry(cloud: Cloud, tmp_path: Path) -> None:
    digests = write_idx_set(tmp_path / "source", train_per_class=20, test_per_class=10)
    files = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}
    cloud.pipelines.on_create = RunsHere(cloud.pipelines, tmp_path / "far-end").start
    for fault in (Fault(), Fault(503), Fault(429), Fault(500)):
        cloud.wire.fail("GetPipelineJob", fault)
    with serve_mirror(files) as mirror:
        parameters = [*SMALL, f"digests={json.dumps(digests)}", f"source={mirror.url}"]
        done = fashion_mnist(
            *("submit", "--bucket", BUCKET, "--wait", "--require-upload", "--every", "0.3"),
            *(word for parameter in parameters for word in ("-p", parameter)),
            cwd=tmp_path,
            **cloud.environment(tmp_path / "gcloud"),
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(tmp_path / "far-end") == ["1"]
    (request,) = cloud.pipelines.created
    for text in (
        *("Ingest: done in", "Train: done in", "Upload: done in", "200 + 100 images, verified"),
        *("Passed: accuracy", "Report     ", f"/runs/{request.pipeline_job_id}?project=my-project"),
    ):
        assert text in done.stdout
    assert "Traceback" not in done.stderr
    looks = cloud.wire.named("GetPipelineJob")
    assert {call.headers["authorization"] for call in looks} == {"Bearer token-1"}


def test_ctrl_c_leaves_the_job_running_and_watch_follows_it_again(
    cloud: Cloud, tmp_path: Path
) -> None:
    environment = cloud.environment(tmp_path / "gcloud")
    add_job(cloud)
    cloud.pipelines.script = [step("ingest", "RUNNING")]
    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "watch", JOB, "--every", "0.3"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert "Ingest: started" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert f"{JOB} is still running: `fashion-mnist watch {JOB} --project my-project" in error
    assert cloud.wire.named("CancelPipelineJob") == []
    cloud.pipelines.script = [ended("SUCCEEDED")]
    done = fashion_mnist("watch", JOB, "--every", "0.3", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Model      not uploaded" in done.stdout
