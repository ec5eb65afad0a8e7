"""The trainer with a preset: ``python -m benchmarks.sides.train RAW PRESET SEED JOB_DIR``.

Trains by the trainer's own command line, then looks at the test set once. Prints the curve, the
test accuracy and what was computed as JSON; ``default`` means no preset.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import accumulate
from pathlib import Path
from typing import Any

from components.ingest.fashion_mnist import DESCRIPTION

TRAINER = "components.train.trainer.task"
PREDICTIONS = 50


def main(raw: str, preset: str, seed: str, job_dir: str, *options: str) -> None:
    """Trains in a process of its own, and prints what came out."""
    given = [] if preset == "default" else ["--preset", preset]
    command = [sys.executable, "-m", TRAINER, "--job-dir", job_dir, "--seed", seed]
    environment = {**os.environ, "DESCRIPTION_DATA": raw}
    subprocess.run([*command, *given, *options], check=True, env=environment, stdout=sys.stderr)
    history = json.loads(Path(job_dir, "history.json").read_text())
    seconds = accumulate(row["seconds"] for row in history["epochs"])
    curve = [
        {"seconds": so_far, "validation_accuracy": row["validation_accuracy"]}
        for so_far, row in zip(seconds, history["epochs"], strict=True)
    ]
    result = {
        "curve": curve,
        "seconds": curve[-1]["seconds"],
        "test_accuracy": _test_accuracy(Path(job_dir, "model"), Path(raw)),
        "images_per_second": history["images_per_second"],
        "precision": history["precision"],
        "flops": _flops(history["parameters"], Path(job_dir, "model")),
        **_served(Path(job_dir, "model")),
    }
    print(json.dumps(result))


def _test_accuracy(model: Path, raw: Path) -> float:
    from benchmarks.peers.keras_data import read
    from components.evaluate.predictions import answers

    images, labels = read(raw, "t10k")
    probabilities, _ = answers(model, images, name="the model", cure="train again")
    return float((probabilities.argmax(axis=1) == labels).mean())


def _served(model: Path) -> dict[str, float]:
    """The size of a model's files, and the median time of the prediction of one image."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(model))
    image = tf.zeros([1, *DESCRIPTION.shape], tf.uint8)
    times = []
    for _ in range(PREDICTIONS):
        started = time.perf_counter()
        loaded.signatures["serving_default"](image=image)["probabilities"].numpy()
        times.append(time.perf_counter() - started)
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return {"megabytes": size / 1e6, "prediction_ms": statistics.median(times) * 1e3}


def _flops(parameters: dict[str, Any], model: Path) -> int:
    from benchmarks.arithmetic import training_flops
    from components.dataset.description import Description
    from components.train.trainer.hyperparameters import Hyperparameters
    from components.train.trainer.model import build_model

    given = {name: value for name, value in parameters.items() if name != "seed"}
    return training_flops(build_model(Hyperparameters.of(given), Description.read(model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
