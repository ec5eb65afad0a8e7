"""A root as runs leave it, without the runs: summaries, and versions of models."""

import json
from pathlib import Path
from typing import Any

from pipeline.runs.registry import Registry
from tests.saved_models import make_model

FIRST = "fashion-mnist-20261123-153000-ab12"
SECOND = "fashion-mnist-20261124-090000-cd34"


def add_run(root: Path, run_id: str, *, state: str = "done", **changes: Any) -> Path:
    """Puts a run's folder with its summary and its model there; the folder."""
    folder = root / "runs" / run_id
    model = make_model(folder / "steps" / "train" / "model")
    moment = run_id.split("-")[2:4]
    started = f"{moment[0][:4]}-{moment[0][4:6]}-{moment[0][6:]}T{moment[1][:2]}:{moment[1][2:4]}"
    summary = {
        "run": run_id,
        "state": state,
        "started": f"{started}:00+00:00",
        "seconds": 83.0,
        "metrics": {"accuracy": 0.9123},
        "model": {"name": "fashion-mnist", "version": "1"},
        "steps": [{"name": "train", "outputs": {"model": {"uri": str(model)}}}],
        **changes,
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def add_version(root: Path, source: Path, model: str = "fashion-mnist", **facts: Any) -> None:
    """Puts a version into the registry, with the aliases of an upload."""
    if not source.exists():
        make_model(source)
    given = {"metrics": {"accuracy": 0.9123}, "run": FIRST, **facts}
    Registry(root / "registry").add_version(model, source, given, ["default", given["run"]])
