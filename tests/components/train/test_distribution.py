import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from components.train.trainer import distribution
from components.train.trainer.distribution import ClusterError

TOLERANCE = 2e-3
"""How far two workers may be from one after 3 steps, as a share of each tensor's norm.

Sums over two halves of a batch are rounded otherwise, and the optimizer makes more of it from step
to step. Measured: 3e-4, and 4e-3 after 10 steps; with the statistics of each half by itself 0.25.
"""
TWO = {"chief": ["a:1"], "worker": ["b:1"]}
TRAINER = ("-m", "components.train.trainer.task")
TELLS_DRAWS = """
import hashlib, sys
from components.train.trainer import sampling, task

drawn = sampling.Sampler.epoch

def told(self, number, steps):
    for draw in drawn(self, number, steps):
        content = draw.indices.tobytes() + draw.weights.tobytes()
        print("draw", draw.number, len(draw.indices), hashlib.sha256(content).hexdigest())
        yield draw

sampling.Sampler.epoch = told
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
        (config({**TWO, "ps": ["c:1"]}), "has parameter servers.*--parameter-server-count 0"),
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


def run_workers(
    directory: Path, given: list[str], count: int, program: Sequence[str] = TRAINER
) -> list[str]:
    """Trains with so many workers, each with a job directory of its own; what they said."""
    workers = [f"127.0.0.1:{free_port()}" for _ in range(count)]
    started = [
        subprocess.Popen(
            [sys.executable, *program, *given, f"--job-dir={directory}/{index}"],
            env={**os.environ, **config({"worker": workers, "ps": []}, "worker", index)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(count)
    ]
    said = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0] * count
    return said


def read_weights(directory: Path) -> dict[str, NDArray[np.float32]]:
    reader = tf.train.load_checkpoint(str(directory / "model" / "variables" / "variables"))
    names = sorted(name for name in reader.get_variable_to_shape_map() if "weights" in name)
    return {name: reader.get_tensor(name) for name in names}


def test_two_workers_train_the_model_of_one_and_the_chief_writes_it(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    given = [
        f"--train-files={train_directory}/*.tfrecord",
        f"--eval-files={validation_directory}/*.tfrecord",
        *["--filters", "16", "32", "--precision=float32", "--batch-size=32"],
        "--train-steps=3",
    ]
    # Folders of their own show who writes.
    said = run_workers(tmp_path / "two", given, 2)
    assert "epoch 1/1" in said[0]
    assert said[1] == ""
    assert (tmp_path / "two" / "0" / "checkpoints" / "ckpt-1.index").is_file()
    assert not (tmp_path / "two" / "1").exists()
    run_workers(tmp_path / "one", given, 1)
    two, one = (read_weights(tmp_path / name / "0") for name in ("two", "one"))
    assert two.keys() == one.keys()
    for name, weights in one.items():
        assert np.linalg.norm(two[name] - weights) < TOLERANCE * np.linalg.norm(weights), name
    histories = [
        json.loads((tmp_path / name / "0" / "history.json").read_text()) for name in ("one", "two")
    ]
    assert [history["steps"] for history in histories] == [3, 3]
    for figure in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        alone, shared = ([row[figure] for row in history["epochs"]] for history in histories)
        assert shared == pytest.approx(alone, abs=TOLERANCE), figure


def test_all_workers_draw_the_same_examples_by_their_losses(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    given = [
        f"--train-files={train_directory}/*.tfrecord",
        f"--eval-files={validation_directory}/*.tfrecord",
        *["--filters", "4", "8", "--precision=float32", "--batch-size=32"],
        *["--epochs=3", "--sampling=loss"],
    ]
    said = run_workers(tmp_path, given, 2, ["-c", TELLS_DRAWS])
    draws = [[line for line in text.splitlines() if line.startswith("draw")] for text in said]
    assert draws[0] == draws[1]
    # The first epoch takes all; each further one is two rounds of half of the examples.
    sizes = [line.split()[1:3] for line in draws[0]]
    assert sizes == [["0", "320"], *([str(number), "160"] for number in (1, 2, 3, 4))]


def test_workers_that_cannot_share_a_batch_are_refused(train_directory: Path) -> None:
    from components.train.trainer.input_pipeline import Part, open_source, training_batches
    from components.train.trainer.sampling import Sampler
    from components.train.trainer.splits import Split
    from components.train.trainer.util import HyperparameterError, Hyperparameters

    source = open_source(Split.of_directory(train_directory))
    (draw,) = Sampler(320, 32, 0, by_loss=False).epoch(1, 10)
    with pytest.raises(HyperparameterError, match="3 replicas cannot share a batch of 32"):
        training_batches(source, draw, Hyperparameters(), 32, part=Part(3, range(1)))
