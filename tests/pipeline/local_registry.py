"""A root as runs leave it, without the runs: summaries, and versions of models."""

import datetime
from pathlib import Path
from typing import Any

from pipeline.runs.record import Artifact, Run, Task
from pipeline.runs.registry import Registry
from tests.saved_models import make_model

FIRST = "fashion-mnist-20261123-153000-ab12"
SECOND = "fashion-mnist-20261124-090000-cd34"


def add_run(
    root: Path,
    run_id: str,
    *,
    accuracy: float | None = 0.9123,
    version: str = "1",
    trained: bool = True,
    **changes: Any,
) -> Path:
    """Writes a run's folder with its summary and its model; the folder."""
    folder = root / "runs" / run_id
    folder.mkdir(parents=True)
    steps = {}
    if trained:
        model = Artifact(str(make_model(folder / "steps" / "train" / "model")))
        steps["train"] = Task("train", "Train", "done", 80.0, {"model": model})
    if accuracy is not None:
        metrics = Artifact("metrics", {"accuracy": accuracy})
        steps["evaluate"] = Task("evaluate", "Evaluate", "done", 1.0, {"metrics": metrics})
    if version:
        uploaded = Artifact("", {"resourceName": f"projects/p/models/fashion-mnist@{version}"})
        steps["upload"] = Task("upload", "Upload", "done", 1.0, {"model": uploaded})
    told: dict[str, Any] = {
        "state": "done",
        "started": datetime.datetime.strptime(f"{run_id[-20:-5]}Z", "%Y%m%d-%H%M%S%z"),
        "seconds": 83.0,
        "parameters": {"model_name": "fashion-mnist"},
        "steps": steps,
    }
    Run(run_id, folder, **{**told, **changes}).write()
    return folder


def add_version(root: Path, source: Path, model: str = "fashion-mnist", **facts: Any) -> None:
    """Puts a version into the registry, with the aliases of an upload."""
    if not source.exists():
        make_model(source)
    given = {"metrics": {"accuracy": 0.9123}, "run": FIRST, **facts}
    Registry(root / "registry").add_version(model, source, given, ["default", given["run"]])
