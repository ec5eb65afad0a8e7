"""The whole flow of the cloud, offline: submitted, run by the far end, followed to its end.

The command is a process of its own with Google's real clients and real credentials (those of a
machine on Google Cloud, from a loopback port); the server takes the submitted spec and runs it
with the local runner.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import fashion_mnist, versions
from tests.fakes.cloud import Cloud, serve_cloud
from tests.fakes.mirror import serve_mirror
from tests.fakes.pipeline_run import RunsHere
from tests.fakes.wire import Fault
from tests.idx_files import write_idx_set
from tests.small_project import SMALL, UNTRAINED

BUCKET = "fashion-mnist-local"
"""The far end's bucket, which the storage emulator serves to the steps."""
ADC = "GOOGLE_APPLICATION_CREDENTIALS"


@dataclass
class Flow:
    """A cloud, and how it is called."""

    cloud: Cloud
    path: Path
    digests: dict[str, str]
    source: str

    @property
    def environment(self) -> dict[str, str]:
        return self.cloud.environment(self.path / "gcloud")

    @property
    def root(self) -> Path:
        """Where the far end keeps bucket, registry and runs."""
        return self.path / "far-end"

    def arguments(self, *options: str) -> list[str]:
        parameters = [*SMALL, f"digests={json.dumps(self.digests)}", "min_accuracy=0.5"]
        given = [argument for parameter in parameters for argument in ("-p", parameter)]
        every = ("--every", "0.3")
        return ["submit", "--bucket", BUCKET, "--source", self.source, *given, *every, *options]

    def submit(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return fashion_mnist(*self.arguments(*options), cwd=self.path, **self.environment)


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    monkeypatch.delenv(ADC, raising=False)
    digests = write_idx_set(tmp_path / "source", train_per_class=100, test_per_class=20)
    files = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}
    with serve_mirror(files) as mirror, serve_cloud() as cloud:
        cloud.buckets.locations[BUCKET] = "EUROPE-WEST4"
        flow = Flow(cloud, tmp_path, digests, mirror.url)
        cloud.pipelines.on_create = RunsHere(cloud.pipelines, flow.root).start
        yield flow


def test_a_submitted_run_ends_with_a_model_in_the_registry(flow: Flow) -> None:
    polls = "GetPipelineJob"
    for fault in (Fault(), Fault(503), Fault(429), Fault(500)):
        flow.cloud.wire.fail(polls, fault)
    done = flow.submit("--wait", "--require-upload")
    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(flow.root) == ["1"]
    (request,) = flow.cloud.pipelines.created
    for line in ("Ingest: done in", "Train: done in", "Upload: done in"):
        assert line in done.stdout
    assert "1,000 + 200 images, verified" in done.stdout
    assert "Passed: accuracy" in done.stdout
    assert f"/pipelines/runs/{request.pipeline_job_id}?project=my-project" in done.stdout
    assert "Report     " in done.stdout
    assert "Traceback" not in done.stderr
    assert {call.headers["authorization"] for call in flow.cloud.wire.named(polls)} == {
        "Bearer token-1"
    }


def test_ctrl_c_leaves_the_job_running_and_watch_follows_it_again(flow: Flow) -> None:
    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *flow.arguments("--wait", *UNTRAINED)],
        cwd=flow.path,
        env={**os.environ, **flow.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "Ingest: started" in line:
            break
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    (request,) = flow.cloud.pipelines.created
    job_id = request.pipeline_job_id
    assert f"{job_id} goes on; `fashion-mnist watch {job_id} --project my-project" in error
    assert flow.cloud.wire.named("CancelPipelineJob") == []
    flow.cloud.tokens.expire()
    name = flow.cloud.pipelines.jobs[job_id].name
    done = fashion_mnist("watch", name, "--every", "0.3", cwd=flow.path, **flow.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Model      not uploaded" in done.stdout
    assert versions(flow.root) == []
    assert len(flow.cloud.tokens.issued) > 1
