import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.train.trainer import distribution, task
from components.train.trainer.distribution import ClusterError

from .conftest import read_weights

TOLERANCE = 2e-3
"""How far two workers may be from one after 3 steps, as a share of each tensor's norm.

Sums over two halves of a batch are rounded differently, and the optimizer amplifies that from step
to step. Measured: 3e-4, and 4e-3 after 10 steps; with separate statistics of each half 0.25.
"""
TWO = {"chief": ["a:1"], "worker": ["b:1"]}
PRINTS_DRAWS = """
import hashlib, sys
from components.train.trainer import sampling, task

epoch = sampling.Sampler.epoch

def printing(self, number, steps):
    for draw in epoch(self, number, steps):
        content = draw.indices.tobytes() + draw.weights.tobytes()
        print("draw", draw.number, len(draw.indices), hashlib.sha256(content).hexdigest())
        yield draw

sampling.Sampler.epoch = printing
sys.exit(task.main(sys.argv[1:]))
"""


def config(cluster: Any, kind: str = "worker", index: int = 0) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


@pytest.mark.parametrize(
    "environment", [{}, {"TF_CONFIG": ""}, config({}), config({"worker": ["a:1"], "ps": []})]
)
def test_without_a_cluster_there_is_one_worker_and_no_tf_config(environment: Any) -> None:
    assert distribution.clean(environment) == 1
    assert not environment.get("TF_CONFIG")


def test_a_job_without_tasks_is_removed_and_a_master_is_a_chief() -> None:
    environment = config({"master": ["a:1"], "worker": ["b:1"], "ps": []}, "master")
    assert distribution.clean(environment) == 2
    assert json.loads(environment["TF_CONFIG"]) == {
        "cluster": TWO,
        "task": {"type": "chief", "index": 0},
    }


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"TF_CONFIG": "{"}, "does not describe a cluster"),
        ({"TF_CONFIG": "[]"}, "does not describe a cluster"),
        (config({**TWO, "ps": ["c:1"]}), "has parameter servers.*--parameter-server-count 0"),
        (config(TWO, "worker", 1), "which its cluster does not have"),
        (config(TWO, "evaluator"), "which its cluster does not have"),
    ],
)
def test_a_cluster_that_cannot_train_is_refused(environment: Any, reason: str) -> None:
    with pytest.raises(ClusterError, match=reason):
        distribution.clean(environment)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_two_workers(directory: Path, given: list[str]) -> list[str]:
    """Trains with two workers, each with a job directory of its own; what they printed."""
    workers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PRINTS_DRAWS, *given, f"--job-dir={directory}/{index}"],
            env={**os.environ, **config({"worker": workers, "ps": []}, "worker", index)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    printed = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    return printed


def test_two_workers_train_the_model_of_one_and_the_chief_writes_it(
    files: list[str], tmp_path: Path
) -> None:
    given = [*files, "--filters", "16", "32", "--precision=float32", "--batch-size=32"]
    given.append("--train-steps=3")
    # Separate folders show who writes.
    chief, worker = run_two_workers(tmp_path / "two", given)
    assert "epoch 1/1" in chief
    assert [line.split()[0] for line in worker.splitlines()] == ["draw"]
    assert (tmp_path / "two" / "0" / "checkpoints" / "ckpt-1.index").is_file()
    assert not (tmp_path / "two" / "1").exists()
    assert task.main([*given, f"--job-dir={tmp_path}/one/0"]) == 0
    two, one = (read_weights(tmp_path / name / "0" / "model") for name in ("two", "one"))
    assert two.keys() == one.keys()
    for name, weights in one.items():
        assert np.linalg.norm(two[name] - weights) < TOLERANCE * np.linalg.norm(weights), name
    rows = [
        json.loads((tmp_path / name / "0" / "history.json").read_text())["epochs"]
        for name in ("one", "two")
    ]
    for figure in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        alone, shared = ([row[figure] for row in each] for each in rows)
        assert shared == pytest.approx(alone, abs=TOLERANCE), figure


def test_all_workers_draw_the_same_examples_by_their_losses(
    files: list[str], tmp_path: Path
) -> None:
    given = [*files, "--filters", "4", "8", "--precision=float32", "--batch-size=160"]
    printed = run_two_workers(tmp_path, [*given, "--epochs=2"])
    draws = [[line for line in text.splitlines() if line.startswith("draw")] for text in printed]
    assert draws[0] == draws[1]
    # The first epoch takes all examples; the second is two draws of half of them.
    sizes = [line.split()[1:3] for line in draws[0]]
    assert sizes == [["0", "320"], ["1", "160"], ["2", "160"]]
