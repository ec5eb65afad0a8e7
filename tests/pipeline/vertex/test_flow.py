"""The whole flow of the cloud, offline: submitted, run by the far end, followed to its end.

The server runs the submitted spec with the local runner.
"""

import json
from pathlib import Path

from tests.command import versions
from tests.fakes.cloud import Cloud
from tests.fakes.mirror import serve_mirror
from tests.fakes.pipeline_run import RunsHere
from tests.fakes.wire import Fault
from tests.idx_files import write_idx_set
from tests.pipeline.vertex.conftest import Command

BUCKET = "fashion-mnist-local"
"""The far end's bucket, which the storage emulator serves to the steps."""
SMALL = (
    *("validation_examples=20", "shards=1", "batch_size=20", "filters=[4, 8]", "dense_units=8"),
    *("epochs=1", "precision=float32", "min_accuracy=0"),
)


def test_a_submitted_run_ends_with_a_model_in_the_registry(
    cloud: Cloud, command: Command, tmp_path: Path
) -> None:
    digests = write_idx_set(tmp_path / "source", train_per_class=20, test_per_class=10)
    files = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}
    cloud.buckets.locations[BUCKET] = "EUROPE-WEST4"
    cloud.pipelines.on_create = RunsHere(cloud.pipelines, tmp_path / "far-end").start
    for fault in (Fault(), Fault(503), Fault(429), Fault(500)):
        cloud.wire.fail("GetPipelineJob", fault)
    with serve_mirror(files) as mirror:
        parameters = [*SMALL, f"digests={json.dumps(digests)}", f"source={mirror.url}"]
        done = command(
            *("submit", "--bucket", BUCKET, "--wait", "--require-upload", "--every", "0.3"),
            *(word for parameter in parameters for word in ("-p", parameter)),
        )
    assert done.code == 0, done.out + done.error
    assert versions(tmp_path / "far-end") == ["1"]
    (request,) = cloud.pipelines.created
    for text in (
        *("Ingest: done in", "Train: done in", "Upload: done in", "200 + 100 images, verified"),
        *("Passed: accuracy", "Report     ", f"/runs/{request.pipeline_job_id}?project=my-project"),
    ):
        assert text in done.out
