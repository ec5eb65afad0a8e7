import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.train.trainer import distribution
from components.train.trainer.distribution import ClusterError

TWO = {"chief": ["a:1"], "worker": ["b:1"]}


def config(cluster: Any, kind: str = "worker", index: int = 0) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


@pytest.mark.parametrize(
    "environment", [{}, {"TF_CONFIG": ""}, config({}), config({"worker": ["a:1"], "ps": []})]
)
def test_without_a_cluster_there_is_one_worker_and_no_tf_config(environment: Any) -> None:
    assert distribution.clean(environment) == 1
    assert not environment.get("TF_CONFIG")


def test_a_job_without_tasks_is_dropped() -> None:
    environment = config({**TWO, "ps": []})
    assert distribution.clean(environment) == 2
    assert json.loads(environment["TF_CONFIG"]) == {
        "cluster": TWO,
        "task": {"type": "worker", "index": 0},
    }


def test_a_master_is_a_chief() -> None:
    environment = config({"master": ["a:1"], "worker": ["b:1"]}, "master")
    assert distribution.clean(environment) == 2
    assert json.loads(environment["TF_CONFIG"]) == {
        "cluster": TWO,
        "task": {"type": "chief", "index": 0},
    }


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"TF_CONFIG": "{"}, "describes no cluster"),
        ({"TF_CONFIG": "[]"}, "describes no cluster"),
        (config({**TWO, "ps": ["c:1"]}), "has parameter servers"),
        (config(TWO, "worker", 1), "which its cluster does not have"),
        (config(TWO, "evaluator"), "which its cluster does not have"),
    ],
)
def test_a_cluster_one_cannot_train_on_is_refused(environment: Any, reason: str) -> None:
    with pytest.raises(ClusterError, match=reason):
        distribution.clean(environment)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_two_workers_train_one_model_and_the_chief_writes_it(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    given = [
        f"--train-files={train_directory}/*.tfrecord",
        f"--eval-files={validation_directory}/*.tfrecord",
        *["--filters", "4", "8"],
        "--batch-size=32",
        "--epochs=2",
    ]
    workers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    # Folders of their own show who writes.
    started = [
        subprocess.Popen(
            [
                *[sys.executable, "-m", "components.train.trainer.task"],
                *[*given, f"--job-dir={tmp_path}/{index}"],
            ],
            env={**os.environ, **config({"worker": workers, "ps": []}, "worker", index)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert "epoch 2/2" in said[0]
    assert said[1] == ""
    assert (tmp_path / "0" / "model" / "saved_model.pb").is_file()
    assert (tmp_path / "0" / "checkpoints" / "checkpoint").is_file()
    assert not (tmp_path / "1").exists()
    history = json.loads((tmp_path / "0" / "history.json").read_text())
    assert history["epochs"][-1]["loss"] < history["epochs"][0]["loss"]
    assert history["steps"] == 20


def test_workers_that_cannot_share_a_batch_are_refused(train_directory: Path) -> None:
    from components.train.trainer.input_pipeline import Part, open_source, training_batches
    from components.train.trainer.sampling import Sampler
    from components.train.trainer.splits import Split
    from components.train.trainer.util import HyperparameterError, Hyperparameters

    source = open_source(Split.of_directory(train_directory))
    (draw,) = Sampler(320, 32, 0, by_loss=False).epoch(1, 10)
    with pytest.raises(HyperparameterError, match="3 replicas cannot share a batch of 32"):
        training_batches(source, draw, Hyperparameters(), 32, part=Part(3, range(1)))
