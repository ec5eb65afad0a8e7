"""Jobs on Vertex AI as runs to read from, against the service and the bucket on loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from pipeline.errors import CloudError, UsageError
from pipeline.notebook import NoRunError, job_run
from pipeline.notebook.running import rerun
from pipeline.vertex import connection
from tests.fakes.cloud import Cloud, serve_cloud
from tests.fakes.model_service import PARENT
from tests.fakes.storage import FakeBucket, serve_storage
from tests.idx_files import write_idx_set
from tests.pipeline.vertex.jobs import JOB, add_job, outputs, step

RAW = "gs://bucket/fashion-mnist/raw/1234"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    with serve_cloud() as cloud:
        for name, value in cloud.environment(tmp_path / "gcloud").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(connection, "credentials", AnonymousCredentials)
        yield cloud


@pytest.fixture
def bucket(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    """The bucket of the job's outputs."""
    del cloud
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        yield fake


@pytest.fixture
def job(cloud: Cloud) -> Any:
    """A job that has ended, of which ingest, training and the look at the registry are told."""
    job = add_job(cloud, "SUCCEEDED")
    job.runtime_config.parameter_values = {"epochs": 3, "learning_rate": 0.12, "shards": 2}
    raw = {"uri": RAW, "metadata": {"verified": True, "examples": {"train": 100, "test": 40}}}
    model = {"uri": "gs://bucket/root/model", "metadata": {"validation_accuracy": 0.9}}
    champion = {"uri": "gs://bucket/root/champion", "metadata": {}}
    parent = {"uri": "", "metadata": {"resourceName": f"{PARENT}/models/1"}}
    step("ingest", "SUCCEEDED", outputs=outputs(raw=raw))(job)
    step("train", "SKIPPED", outputs=outputs(model=model))(job)
    found = outputs(champion=champion, parent=parent)
    step("find-champion", "SUCCEEDED", outputs=found)(job)
    return job


@pytest.mark.parametrize("reference", [JOB, f"{PARENT}/pipelineJobs/{JOB}"])
def test_a_job_is_a_run_with_its_parameters_and_artifacts(reference: str, job: Any) -> None:
    del job
    run = job_run(reference)
    assert run.id == JOB
    assert {"epochs": 3, "learning_rate": 0.12, "shards": 2}.items() <= run.parameters.items()
    assert run.parameters["filters"] == [32, 64, 128]
    assert type(run.parameters["epochs"]) is int
    assert run.artifact("raw").uri == RAW
    assert run["train"]["model"].metadata == {"validation_accuracy": 0.9}


def test_an_artifact_of_a_job_is_fetched(job: Any, bucket: FakeBucket) -> None:
    del job
    bucket.put("root/model/saved_model.pb", b"graph")
    model = job_run(JOB).artifact("model")
    assert (model.path / "saved_model.pb").read_bytes() == b"graph"


def test_a_step_is_run_here_on_the_artifacts_of_a_job(
    job: Any, bucket: FakeBucket, fresh: None, tmp_path: Path
) -> None:
    del job, fresh
    write_idx_set(tmp_path / "source", train_per_class=10, test_per_class=4)
    for path in (tmp_path / "source").iterdir():
        bucket.put(f"fashion-mnist/raw/1234/{path.name}", path.read_bytes())
    decoded = rerun(job_run(JOB), "decode", validation_examples=20, seed=0)
    assert decoded.artifact("train_records").metadata["examples"] == 80
    assert len(list(decoded.artifact("train_records").path.glob("*.tfrecord"))) == 2


def test_the_registry_of_the_cloud_is_not_taken_for_this_machines(job: Any) -> None:
    del job
    run = job_run(JOB)
    assert set(run["find_champion"]) == {"champion"}
    with pytest.raises(NoRunError, match=r"rerun\(run, 'find_champion'\) makes it"):
        rerun(run, "upload")


def test_a_job_that_is_not_there(cloud: Cloud) -> None:
    del cloud
    with pytest.raises(CloudError, match="there is no job job-1; `fashion-mnist jobs"):
        job_run("job-1")
    with pytest.raises(UsageError, match="is no job: give its id"):
        job_run("gs://bucket/job")
