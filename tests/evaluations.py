"""Evaluations as the step ``evaluate`` writes them, made without a model; and a run around one."""

import base64
import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.dataset.description import Description
from components.evaluate import gate, mistakes, scores
from pipeline.runs.record import Artifact, Run, Task
from tests.idx_files import FASHION

DIGEST = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"


def evaluation(
    *,
    per_class: int | Sequence[int] = 100,
    champion: dict[str, Any] | None = None,
    about: Description = FASHION,
    train: int | Sequence[int] = 550,
) -> dict[str, Any]:
    """The facts of a model that is right on three of four examples, by the luck of a seed.

    ``per_class`` and ``train`` are the test and the training examples of each class.
    """
    classes = len(about.classes)
    labels = np.repeat(np.arange(classes, dtype=np.uint8), per_class)
    generator = np.random.default_rng(7)
    images = generator.integers(0, 256, (len(labels), *about.shape), dtype=np.uint8)
    logits = generator.normal(size=(len(labels), classes)) + 3.2 * np.eye(classes)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    probabilities = probabilities.astype(np.float32)
    found = scores.score(probabilities, labels, about.classes)
    wrong = mistakes.confident_mistakes(probabilities, labels)
    confused = mistakes.confused_pairs(probabilities, labels, np.array(found["confusion_matrix"]))
    facts: dict[str, Any] = {
        **found,
        "before_calibration": scores.before_calibration(probabilities, labels, 0.5),
        "mistakes": wrong,
        "confused": confused,
        "image_shape": list(images.shape[1:]),
        "images": {
            str(index): base64.b64encode(images[index].tobytes()).decode()
            for index in mistakes.shown(wrong, confused)
        },
        "class_names": list(about.classes),
        "model_digest": DIGEST,
        "champion": champion,
        "verdict": gate.decide(found, None, {"min_accuracy": 0.5, "min_improvement": 0.0}),
        "dataset": {
            "name": about.name,
            "form": about.form,
            "counts": {
                "train": np.broadcast_to(train, classes).tolist(),
                "validation": np.broadcast_to(50, classes).tolist(),
                "test": [entry["support"] for entry in found["per_class"]],
            },
            "digests": {"t10k-images-idx3-ubyte": DIGEST, "train-images-idx3-ubyte": DIGEST},
            "verified": True,
            "test_records": DIGEST,
        },
        "training": {
            "parameters": {"filters": [32, 64, 128], "train_on_validation": False},
            "versions": {"tensorflow": "2.21.0", "numpy": "2.4.6"},
            "code_digest": DIGEST,
        },
        "epochs": [
            {
                "epoch": number,
                "seconds": 123.4,
                "learning_rate": 0.1,
                "loss": 1.0 / number,
                "accuracy": 1 - 0.5 / number,
                "validation_loss": 1.1 / number,
                "validation_accuracy": 1 - 0.6 / number,
            }
            for number in range(1, 8)
        ],
    }
    stored: dict[str, Any] = json.loads(json.dumps(facts))
    return stored


def beaten(facts: dict[str, Any], version: str = "12") -> dict[str, Any]:
    """The same facts with a champion that was somewhat worse."""
    champion = {
        "version": version,
        "resource_name": f"projects/local/locations/local/models/fashion-mnist@{version}",
        "digest": DIGEST,
        "same": False,
        "gained": 31,
        "lost": 20,
        "chance": 0.16,
        "per_class": [
            {**entry, "f1": entry["f1"] and entry["f1"] - 0.01} for entry in facts["per_class"]
        ],
        "examples": facts["examples"],
        "correct": facts["correct"] - 11,
        "accuracy": facts["accuracy"] - 11 / facts["examples"],
        "loss": facts["loss"] + 0.01,
        "macro_f1": facts["macro_f1"] - 0.01,
    }
    return {**facts, "champion": champion}


def run(root: Path, run_id: str, *, version: str = "13", **changes: Any) -> Run:
    """A run that uploaded a version, or with an empty one none."""
    name = f"projects/local/locations/local/models/fashion-mnist@{version}"
    uploaded = {"model": Artifact("registry", {"resourceName": name})} if version else {}
    seconds = {"find_champion": 0.1, "decode": 0.9, "train": 242.0}
    steps = {
        name: Task(name, name.capitalize(), "done" if name == "train" else "cached", took)
        for name, took in seconds.items()
    }
    judged = {
        "Output": True,
        "metrics": Artifact("metrics", {"accuracy": 0.75}),
        "evaluation": Artifact("evaluation", {"reason": "Passed: as it should."}),
    }
    steps["evaluate"] = Task("evaluate", "Evaluate", "done", 4.0, judged)
    state = "done" if version else "skipped"
    steps["upload"] = Task("upload", "Upload", state, 1.1 if version else 0.0, uploaded)
    told: dict[str, Any] = {
        "state": "done",
        "started": datetime.datetime(2026, 11, 24, 23, 41, 43, tzinfo=datetime.UTC),
        "seconds": 251.2,
        "spec_digest": DIGEST,
        "parameters": {
            "bucket_uri": "gs://fashion-mnist-local",
            "epochs": 3,
            "filters": [16, 32, 64],
            "git_revision": DIGEST[:40],
            "model_name": "fashion-mnist",
            "serving_image": "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest",
            "source": "",
        },
        "changed": {"epochs": 7, "filters": [32, 64, 128], "git_revision": ""},
        "steps": steps,
    }
    return Run(run_id, root / "runs" / run_id, **{**told, **changes})


def write_run(root: Path, run_id: str, facts: dict[str, Any] | None = None, **changes: Any) -> Run:
    """Writes the folder of a run, with an evaluation if there are ``facts``."""
    written = run(root, run_id, **changes)
    written.directory.mkdir(parents=True)
    written.write()
    if facts is not None:
        (written.directory / "evaluation.json").write_text(json.dumps(facts))
    return written
