"""The pipeline for Kubeflow on this machine, with a real MLflow server and without one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from components.dataset.manifest import model_digest
from components.evaluate.predictions import answers
from components.upload.mlflow import server as client
from pipeline import compiler
from pipeline.runs.finding import listed
from pipeline.runs.root import Root
from tests import mlflow_server, soak
from tests.command import fashion_mnist, here, versions
from tests.light_steps import light_spec
from tests.mlflow_server import Server
from tests.small_project import TRAINING, FirstRun, Project

SPEC = compiler.COMPILED / compiler.KUBEFLOW_PIPELINE


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    mlflow_server.skip_without()
    with Server(tmp_path_factory.mktemp("mlflow")).running() as running:
        yield running


@pytest.fixture
def arguments(light: Project, tmp_path: Path) -> list[str]:
    """Those of a run with quick steps in place of the ones that need TensorFlow."""
    spec = tmp_path / "light.yaml"
    spec.write_text(yaml.safe_dump(light_spec(SPEC)))
    return light.arguments(tmp_path / "root", "--spec", str(spec))


def test_runs_make_versions_in_mlflow_and_say_where(
    mlflow: Server, arguments: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    arguments += ["-p", f"tracking_uri={mlflow.address}/"]
    first = here(*arguments)
    assert first.returncode == 0, first.stderr
    page = f"{mlflow.address}/#/models/fashion-mnist/versions/1"
    assert f"Model      fashion-mnist version 1: {page}" in first.stdout
    assert "kubeflow submit" in first.stderr
    (run,) = listed(Root(root))
    made = client.connect(mlflow.address).get_model_version("fashion-mnist", "1")
    assert made.tags["kubeflow_run"] == run.id
    assert run.report
    assert mlflow.address in run.report.read_text()
    assert versions(root) == []
    same = here(*arguments, "--json", "--require-upload")
    assert same.returncode == 3, same.stderr
    assert "already version 1" in json.loads(same.stdout)["verdict"]["reason"]
    other = here(
        *arguments, "--json", "--require-upload", "-p", "seed=1", "-p", "min_improvement=-1"
    )
    assert other.returncode == 0, other.stderr
    assert json.loads(other.stdout)["model"]["version"] == "2"
    assert "Find champion: done" in other.stderr
    assert "champion is version 1" in other.stderr


def test_without_mlflow_the_upload_is_the_artifact_and_may_be_the_next_champion(
    arguments: list[str], tmp_path: Path
) -> None:
    first = here(*arguments, "--require-upload")
    assert first.returncode == 0, first.stderr
    (served,) = tmp_path.glob("root/runs/*/steps/upload/served_model")
    assert (served / "1" / "saved_model.pb").is_file()
    assert str(served) in first.stdout
    same = here(*arguments, "--require-upload", "-p", f"champion_uri={served}")
    assert same.returncode == 3
    assert f"already version {model_digest(served / '1')[:8]}" in same.stdout


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["tracking_uri=http://127.0.0.1:1", "model_name=a:b"], "characters without /"),
        (["champion_alias=v1"], "not latest, not v1"),
        (["tracking_uri=http://me:s3cret@127.0.0.1:1"], "MLFLOW_TRACKING_PASSWORD"),
        (["tracking_uri=127.0.0.1:5000"], "http://HOST:5000"),
        (["tracking_uri=http://127.0.0.1:1", "champion_uri=s3://a/b"], "leave one of them out"),
        (["champion_uri=s3://me:s3cret@a/b"], "AWS_SECRET_ACCESS_KEY"),
        (["champion_uri=https://host/model"], "is no address of a model"),
    ],
)
def test_what_the_steps_would_refuse_is_refused_before_the_run(
    arguments: list[str], tmp_path: Path, assignments: list[str], said: str
) -> None:
    done = here(*arguments, *(part for value in assignments for part in ("-p", value)))
    assert done.returncode == 2
    assert said in done.stderr
    assert "s3cret" not in done.stderr
    assert not (tmp_path / "root" / "runs").exists()


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
def test_the_model_is_that_of_the_other_path_and_mlflow_loads_it(
    mlflow: Server, first_run: FirstRun, tmp_path: Path
) -> None:
    training = [argument for value in TRAINING for argument in ("-p", value)]
    given = ["--spec", str(SPEC), "-p", f"tracking_uri={mlflow.address}", "-p", "model_name=real"]
    root = tmp_path / "root"
    done = fashion_mnist(*first_run.project.arguments(root, *training, *given), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = listed(Root(root))
    assert run.model
    assert first_run.run.model
    digest = model_digest(run.model)
    assert digest == model_digest(first_run.run.model)
    registry = client.connect(mlflow.address)
    assert registry.get_model_version("real", "1").tags["model_digest"] == digest
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    expected, labels = answers(run.model, images, name="it", cure="none")
    found = _loaded("models:/real@champion").predict(images)
    np.testing.assert_array_equal(found["probabilities"], expected)
    assert found["label"].tolist() == [labels[number] for number in found["class_id"]]


def _loaded(uri: str) -> Any:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(uri)
