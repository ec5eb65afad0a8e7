"""The compiled pipeline for Kubeflow under the rules of KFP's driver and launcher."""

from pathlib import Path
from typing import Any

import pytest

from components.dataset.code import code_digest
from pipeline import compiler
from pipeline.checkout import PROJECT
from pipeline.runs.finding import listed
from pipeline.runs.root import Root
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests import light_steps, mlflow_server, soak
from tests.command import fashion_mnist
from tests.kubeflow import workflow
from tests.kubeflow.backend import Backend, Execution
from tests.kubeflow.store import Bucket, Store
from tests.mlflow_server import Server
from tests.small_project import Project

SPEC = compiler.COMPILED / compiler.KUBEFLOW_PIPELINE
STEPS = ["code", "ingest", "decode", "train", "find-champion", "evaluate", "upload"]
KEPT = ["code", "ingest", "decode", "train"]
"""The steps that a later run of the same answers from the cache."""


@pytest.fixture
def backend(store: Store, tmp_path: Path, light: Project) -> Backend:
    return Backend(store, tmp_path, environment=light_steps.environment(light.path))


def run_light(backend: Backend, light: Project, **given: Any) -> dict[str, Execution]:
    """A run with quick steps in place of those that need TensorFlow."""
    own = {"source": str(light.path / "source"), "min_accuracy": 0.5, "shards": 2}
    own |= {"validation_examples": 50}
    return backend.run(light_steps.light_spec(SPEC), own | given)


def states(run: dict[str, Execution]) -> dict[str, str]:
    return {name: run[name].state for name in STEPS if name in run}


def files_below(backend: Backend, uri: str) -> list[str]:
    bucket = Bucket.of(uri, whole=True)
    key = bucket.key(uri)
    return [name.removeprefix(f"{key}/") for name in backend.store.names(bucket.name, key)]


@pytest.mark.parametrize(
    "root", ["minio://mlpipeline/v2/artifacts", "s3://other/some/where", "gs://other/some/where"]
)
def test_a_model_that_passes_is_uploaded(backend: Backend, light: Project, root: str) -> None:
    backend.root = root
    run = run_light(backend, light)
    assert states(run) == dict.fromkeys(STEPS, "COMPLETE")
    served = run["upload"].artifacts["served_model"]
    assert served.uri.startswith(f"{root}/fashion-mnist/")
    assert "1/saved_model.pb" in files_below(backend, served.uri)
    manifest = backend.read(run["upload"].artifacts["inference_service"]).decode()
    assert served.uri.replace("minio://", "s3://") in manifest
    evaluation = backend.read_json(run["evaluate"].artifacts["evaluation"])
    assert served.properties["digest"] == evaluation["model_digest"]
    sizes = {name: one.executor_input for name, one in run.items() if one.executor_input}
    assert sum(workflow.parts(specs.load(SPEC), sizes).values()) < 0.65 * workflow.LIMIT


def test_a_model_below_the_gate_is_not_uploaded(backend: Backend, light: Project) -> None:
    run = run_light(backend, light, min_accuracy=0.99)
    assert run["condition-1"].state == "NOT_TRIGGERED"
    assert states(run) == dict.fromkeys(STEPS[:-1], "COMPLETE")
    assert not run["evaluate"].parameters["Output"]


def test_a_schedule_trains_once_and_looks_up_and_uploads_each_time(
    backend: Backend, light: Project
) -> None:
    first, second = run_light(backend, light), run_light(backend, light)
    assert states(second) == {
        name: "CACHED" if name in KEPT else "COMPLETE" for name in states(first)
    }
    assert second["train"].artifacts == first["train"].artifacts
    other = run_light(backend, light, seed=1)
    assert [name for name, state in states(other).items() if state == "CACHED"] == KEPT[:2]


def test_the_next_model_has_to_beat_the_champion_at_an_address(
    backend: Backend, light: Project
) -> None:
    # As --secret-env and --env give them: look-up reads the store itself.
    backend.environment = {**backend.environment, **backend.store.environment}
    first = run_light(backend, light)
    served = first["upload"].artifacts["served_model"].uri
    for champion in (first["train"].artifacts["model"].uri, f"{served}/1"):
        same = run_light(backend, light, champion_uri=champion)
        assert same["condition-1"].state == "NOT_TRIGGERED"
        found = backend.read_json(same["evaluate"].artifacts["evaluation"])
        assert "already version" in found["verdict"]["reason"]
        other = run_light(backend, light, champion_uri=champion, seed=1, min_improvement=-1.0)
        assert other["upload"].state == "COMPLETE"


def test_with_mlflow_the_next_model_has_to_beat_the_version_of_the_last_run(
    backend: Backend, light: Project, tmp_path: Path
) -> None:
    mlflow_server.skip_without()
    with Server(tmp_path / "mlflow").running() as mlflow:
        first, same, other = (
            run_light(backend, light, tracking_uri=mlflow.address, **given)
            for given in ({}, {}, {"seed": 1, "min_improvement": -1.0})
        )
    assert first["upload"].artifacts["served_model"].properties["version"] == "1"
    assert same["condition-1"].state == "NOT_TRIGGERED"
    found = backend.read_json(same["evaluate"].artifacts["evaluation"])
    assert "already version 1" in found["verdict"]["reason"]
    assert other["find-champion"].artifacts["champion"].properties["version"] == "1"
    assert other["upload"].artifacts["served_model"].properties["resourceName"].endswith("/2")


@pytest.mark.soak
@pytest.mark.real_data
@pytest.mark.timeout(soak.SECONDS)
def test_the_real_steps_make_the_model_of_a_run_on_this_machine(
    store: Store, tmp_path: Path
) -> None:
    spec = specs.load(SPEC)
    given = parameters.resolve(spec, {}, preset="fast")
    backend = Backend(store, tmp_path, environment={"FASHION_MNIST_DATA": str(PROJECT / "data")})
    with Server(tmp_path / "mlflow").running() as mlflow:
        given["tracking_uri"] = mlflow.address
        first, second = (backend.run(spec, given) for _ in range(2))
    assert states(first) == dict.fromkeys(STEPS, "COMPLETE")
    assert first["upload"].artifacts["served_model"].properties["version"] == "1"
    assert second["condition-1"].state == "NOT_TRIGGERED"
    sizes = {name: one.executor_input for name, one in first.items() if one.executor_input}
    assert sum(workflow.parts(spec, sizes).values()) < 0.65 * workflow.LIMIT
    assert {name for name, state in states(second).items() if state == "CACHED"} == {*KEPT}
    history = backend.read_json(first["train"].artifacts["history"])
    assert history["code_digest"] == code_digest("components.train.trainer.job")
    here = tmp_path / "here"
    done = fashion_mnist("run", "--preset", "fast", "--root", str(here), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = listed(Root(here))
    model = run.steps["train"].outputs["model"]
    assert first["train"].artifacts["model"].properties["digest"] == model.metadata["digest"]
