from pathlib import Path
from typing import Any

import pytest

from pipeline.notebook import running
from pipeline.runs.record import Run
from pipeline.runs.root import VARIABLE
from tests.idx_files import write_idx_set

SMALL: dict[str, Any] = {"validation_examples": 20, "shards": 2, "learning_rate": 0.12}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all that is local, as a notebook finds it: it does not exist yet."""
    path = tmp_path / "root"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes ``compiled/`` as up to date, which other tests check."""
    monkeypatch.setattr(running, "check_compiled", lambda: None)


@pytest.fixture
def empty(tmp_path: Path, root: Path, fresh: None) -> Run:
    """A run that left nothing, with the parameters to start on a small dataset."""
    del fresh
    write_idx_set(tmp_path / "source", train_per_class=10, test_per_class=4)
    given = {**SMALL, "source": str(tmp_path / "source")}
    return Run("nothing", root / "runs" / "nothing", parameters=given)
