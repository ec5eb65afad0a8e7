"""Runs as a notebook reads them, of this machine and of Vertex AI."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from pipeline.errors import CloudError, UsageError
from pipeline.notebook import job_run, last_run, load_run, promote, rerun
from pipeline.runs.record import Artifact, Run, RunError, Task
from pipeline.runs.registry import Registry
from pipeline.vertex import target
from tests.fakes.cloud import Cloud, serve_cloud
from tests.fakes.storage import FakeBucket, serve_storage
from tests.fakes.wire import NUMBERED, PARENT
from tests.idx_files import write_idx_set
from tests.pipeline.local_registry import add_version
from tests.pipeline.vertex.jobs import JOB, add_job, outputs, step

RAW = "gs://bucket/fashion-mnist/raw/1234"


def leave(root: Path, name: str, hour: int, **changes: Any) -> Run:
    started = datetime.datetime(2026, 11, 24, hour, tzinfo=datetime.UTC)
    run = Run(name, root / "runs" / name, started, **{"state": "done", **changes})
    run.directory.mkdir(parents=True)
    run.write()
    return run


def steps(**made: dict[str, Any]) -> dict[str, Task]:
    return {name: Task(name, name, "done", 1.0, found) for name, found in made.items()}


def test_the_last_run_is_the_newest_of_the_whole_pipeline_that_succeeded(root: Path) -> None:
    made = steps(train={"model": Artifact(str(root))})
    leave(root, "first", 1)
    leave(root, "second", 2, steps=made)
    leave(root, "part", 3, earlier="second")
    leave(root, "broken", 4, state="failed")
    run = last_run()
    assert run.id == "second"
    assert run.artifact("model").path == root
    with pytest.raises(RunError):
        last_run(root=root / "elsewhere")


def test_a_rerun_has_what_the_earlier_run_left_and_does_not_depend_on_it(root: Path) -> None:
    old, new = Artifact("old"), Artifact("new")
    made = steps(decode={"records": old}, train={"model": old}, evaluate={"Output": True})
    leave(root, "first", 1, steps=made)
    leave(root, "again", 2, steps=steps(train={"model": new}), earlier="first")
    run = load_run("again")
    assert list(run.steps) == ["decode", "train"]
    assert (run.artifact("records").uri, run.artifact("model").uri) == ("old", "new")
    (root / "runs" / "first" / "summary.json").rename(root / "runs" / "first.json")
    (root / "runs" / "first").rmdir()
    assert list(load_run("again").steps) == ["train"]


@pytest.mark.parametrize("version", [1, "1"])
def test_a_version_is_made_the_champion_again(root: Path, version: int | str) -> None:
    for _ in range(2):
        add_version(root, root / "model")
    promote(leave(root, "fashion-mnist-1", 1, parameters={"model_name": "fashion-mnist"}), version)
    assert Registry(root / "registry").resolve("fashion-mnist", "default").number == 1


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    with serve_cloud() as cloud:
        for name, value in cloud.environment(tmp_path / "gcloud").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(target, "default_credentials", AnonymousCredentials)
        yield cloud


@pytest.fixture
def bucket(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    del cloud
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        yield fake


@pytest.fixture
def job(cloud: Cloud) -> Any:
    """A job that has ended, with outputs of ingest, train and find_champion."""
    job = add_job(cloud, "SUCCEEDED")
    job.runtime_config.parameter_values = {"hyperparameters": {"epochs": 3}, "shards": 2}
    raw = {"uri": RAW, "metadata": {"verified": True, "examples": {"train": 100, "test": 40}}}
    model = {"uri": "gs://bucket/root/model", "metadata": {"validation_accuracy": 0.9}}
    champion = {"uri": "gs://bucket/root/champion", "metadata": {}}
    parent = {"uri": "", "metadata": {"resourceName": f"{PARENT}/models/1"}}
    step("ingest", "SUCCEEDED", outputs=outputs(raw=raw))(job)
    step("train", "SKIPPED", outputs=outputs(model=model))(job)
    found = outputs(champion=champion, parent=parent)
    step("find-champion", "SUCCEEDED", outputs=found)(job)
    return job


def test_a_job_is_a_run_with_its_parameters_and_artifacts(job: Any, bucket: FakeBucket) -> None:
    del job
    bucket.put("root/model/saved_model.pb", b"graph")
    run = job_run(f"{NUMBERED}/pipelineJobs/{JOB}")
    assert run.id == JOB
    assert {"epochs": 3, "shards": 2, "batch_size": 256}.items() <= run.parameters.items()
    assert type(run.parameters["epochs"]) is int
    assert run.artifact("raw").uri == RAW
    assert run["train"]["model"].metadata == {"validation_accuracy": 0.9}
    assert (run.artifact("model").path / "saved_model.pb").read_bytes() == b"graph"


def test_a_step_is_run_here_on_the_artifacts_of_a_job(
    job: Any, bucket: FakeBucket, fresh: None, tmp_path: Path
) -> None:
    del job, fresh
    write_idx_set(tmp_path / "source", train_per_class=10, test_per_class=4)
    for path in (tmp_path / "source").iterdir():
        bucket.put(f"fashion-mnist/raw/1234/{path.name}", path.read_bytes())
    run = job_run(JOB)
    decoded = rerun(run, "decode", validation_examples=20, seed=0)
    assert decoded.artifact("train_records").metadata["examples"] == 80
    # The cloud's registry is not taken for this machine's.
    assert set(run["find_champion"]) == {"champion"}


def test_a_job_that_is_not_there(cloud: Cloud) -> None:
    del cloud
    with pytest.raises(CloudError, match="there is no job job-1; `fashion-mnist jobs"):
        job_run("job-1")
    with pytest.raises(UsageError, match="is not a job: give its id"):
        job_run("gs://bucket/job")
