import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.notebook import PastRun, freshness
from pipeline.notebook.place import VARIABLE
from tests.idx_files import write_idx_set

SMALL: dict[str, Any] = {"validation_examples": 20, "shards": 2, "learning_rate": 0.12}

Summarize = Callable[..., Path]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all that is local, as a notebook finds it: it does not exist yet."""
    path = tmp_path / "root"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes ``compiled/`` as up to date, which other tests look at."""
    monkeypatch.setattr(freshness, "_passed", {freshness._state()})


@pytest.fixture
def summarize(root: Path) -> Summarize:
    """Writes the ``summary.json`` of a run that left the outputs that are given by task."""

    def write(run: str, **tasks: dict[str, Any]) -> Path:
        folder = root / "runs" / run
        folder.mkdir(parents=True)
        steps = [{"name": name.replace("_", "-"), "outputs": tasks[name]} for name in tasks]
        summary = {
            "run": run,
            "state": "done",
            "started": f"2026-11-24T12:00:{len(list(root.glob('runs/*'))):02d}+00:00",
            "parameters": {"learning_rate": 0.12, "model_name": "fashion-mnist"},
            "steps": steps,
        }
        (folder / "summary.json").write_text(json.dumps(summary))
        return folder

    return write


@pytest.fixture
def empty(tmp_path: Path, root: Path, fresh: None) -> PastRun:
    """A run that has left nothing, with the parameters to begin on a small dataset."""
    del fresh
    digests = write_idx_set(tmp_path / "source", train_per_class=10, test_per_class=4)
    source = str(tmp_path / "source")
    return PastRun("nothing", {**SMALL, "source": source, "digests": digests}, {}, root)


def stored(uri: Path | str, **metadata: Any) -> dict[str, Any]:
    """An artifact as ``summary.json`` has it."""
    return {"type": "system.Artifact", "uri": str(uri), "metadata": metadata}


def change(path: Path, **values: Any) -> None:
    """Changes values of a run's ``summary.json``."""
    summary = json.loads((path / "summary.json").read_text())
    (path / "summary.json").write_text(json.dumps({**summary, **values}))
