"""The same seed gives the same bytes, in another process, place and environment.

What differs is named here: times and speeds.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.dataset.description import Description
from components.dataset.manifest import MANIFEST, model_digest
from components.train.trainer.hyperparameters import Hyperparameters
from tests import soak
from tests.small_project import FirstRun

ELSEWHERE = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
VOLATILE = {MANIFEST, "fingerprint.pb", "saved_model.pb"}
TIMES = {"seconds", "training_seconds", "images_per_second"}
"""Figures of a training that are not the same twice."""
AGAIN = """
import json, sys
from pathlib import Path
from components.dataset.facts import SPLITS
from components.decode.conversion import convert
from components.train.component import train
from kfp.dsl import Artifact, Dataset, Metrics, Model

source, out, hyperparameters = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
convert(source, {split: out / split for split in SPLITS}, shards=2, validation_examples=50, seed=0)
train.python_func(
    train_records=Dataset(uri=str(out / "train")),
    validation_records=Dataset(uri=str(out / "validation")),
    model=Model(uri=str(out / "model")),
    history=Artifact(uri=str(out / "history")),
    train_metrics=Metrics(uri=str(out / "metrics")),
    logs=Artifact(uri=str(out / "logs")),
    hyperparameters=hyperparameters,
)
"""


def run_again(source: Path, out: Path, hyperparameters: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(source), str(out), json.dumps(hyperparameters)],
        env={**os.environ, **ELSEWHERE},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name not in VOLATILE
    }


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def figures(path: Path) -> Any:
    return without_times(json.loads(path.read_text()))


def test_the_same_seed_gives_the_same_records_and_weights_in_another_process(
    first_run: FirstRun, tmp_path: Path
) -> None:
    run = first_run.run
    hyperparameters = {name: run.parameters[name] for name in Hyperparameters().as_dict()}
    source = shutil.copytree(first_run.project.path / "source", tmp_path / "source")
    dataclasses.replace(Description.read(source), verified=True).write(source)
    run_again(source, tmp_path, hyperparameters)
    for split in ("train", "validation", "test"):
        records = Path(run["decode"][f"{split}_records"].uri)
        assert contents(records) == contents(tmp_path / split)
        assert len(contents(records)) == 3
    model = Path(run["train"]["model"].uri)
    assert contents(model) == contents(tmp_path / "model")
    assert model_digest(model) == model_digest(tmp_path / "model")
    assert figures(Path(run["train"]["history"].uri)) == figures(tmp_path / "history")


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_default_network_is_the_same_twice_with_everything_that_draws_random_numbers(
    first_run: FirstRun, tmp_path: Path, precision: str
) -> None:
    chosen = {
        "train_steps": soak.TRAINING_STEPS,
        "augmentation": "flip+shift",
        "dropout": 0.2,
        "precision": precision,
    }
    for name in ("first", "again"):
        run_again(first_run.project.path / "source", tmp_path / name, chosen)
    assert contents(tmp_path / "first" / "model") == contents(tmp_path / "again" / "model")
