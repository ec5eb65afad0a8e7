import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.train.trainer import task

from .conftest import read_weights

TOLERANCE = 2e-3
"""How far two workers may be from one after 3 steps, as a share of each tensor's norm.

Sums over two halves of a batch are rounded differently, and the optimizer amplifies that from step
to step. Measured: 3e-4, and 4e-3 after 10 steps; with separate statistics of each half 0.25.
"""
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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_two_workers(directory: Path, given: list[str]) -> list[str]:
    """Trains with two workers, each with a job directory of its own; what they printed."""
    cluster = {"worker": [f"127.0.0.1:{free_port()}" for _ in range(2)], "ps": []}
    configs = [
        json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        for index in range(2)
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PRINTS_DRAWS, *given, f"--job-dir={directory}/{index}"],
            env={**os.environ, "TF_CONFIG": configs[index]},
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    printed = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    return printed


@pytest.mark.usefixtures("behind_a_proxy")
def test_two_workers_train_the_model_of_one_and_the_chief_writes_it(
    files: list[str], tmp_path: Path
) -> None:
    given = [*files, "--architecture=plain", "--filters", "16", "16", "--dense-units=0"]
    given += ["--precision=float32", "--batch-size=160", "--train-steps=3", "--learning-rate=0.01"]
    # Separate folders show who writes.
    chief, worker = run_two_workers(tmp_path / "two", given)
    assert "epoch 2/2" in chief
    # Both draw the same examples by their losses: first all, then half of them.
    draws = worker.splitlines()
    assert [line.split()[:3] for line in draws] == [["draw", "0", "320"], ["draw", "2", "160"]]
    assert [line for line in chief.splitlines() if line.startswith("draw")] == draws
    assert not (tmp_path / "two" / "1").exists()
    assert task.main([*given, f"--job-dir={tmp_path}/one/0"]) == 0
    two, one = (read_weights(tmp_path / name / "0" / "model") for name in ("two", "one"))
    assert two.keys() == one.keys()
    distance = {
        name: np.linalg.norm(two[name] - weights) / np.linalg.norm(weights)
        for name, weights in one.items()
    }
    assert max(distance.values()) < TOLERANCE, distance
    rows = [
        json.loads((tmp_path / name / "0" / "history.json").read_text())["epochs"]
        for name in ("one", "two")
    ]
    for figure in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        alone, shared = ([row[figure] for row in each] for each in rows)
        assert shared == pytest.approx(alone, abs=TOLERANCE), figure
