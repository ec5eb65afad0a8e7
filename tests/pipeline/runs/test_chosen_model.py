"""Which model is asked."""

import shutil
from pathlib import Path

import pytest

from pipeline.errors import CommandError, UsageError
from pipeline.runs.chosen_model import choose
from pipeline.runs.version_record import RegistryError
from tests.pipeline.local_registry import FIRST, SECOND, add_run, add_version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two versions, the second one the champion, and the run of the first."""
    root = tmp_path / "root"
    add_version(root, tmp_path / "model")
    add_version(root, tmp_path / "model", run=SECOND)
    add_run(root, FIRST)
    return root


@pytest.mark.parametrize("reference", ["1", FIRST, "fashion-mnist@1"])
def test_a_version_is_named_by_number_or_alias(reference: str, root: Path) -> None:
    assert choose(root, version=reference).title == "fashion-mnist version 1"


@pytest.mark.parametrize(
    ("model", "number"),
    [("fashion-mnist", 2), ("fashion-mnist@1", 1), (f"fashion-mnist@{FIRST}", 1)],
)
def test_a_model_is_named_without_a_version_or_with_one(
    model: str, number: int, root: Path
) -> None:
    chosen = choose(root, model=model)
    assert chosen.title == f"fashion-mnist version {number}"
    assert (chosen.run, chosen.accuracy) == ((FIRST, SECOND)[number - 1], 0.9123)


def test_a_run_and_a_directory_are_taken_as_they_are(root: Path, tmp_path: Path) -> None:
    add_run(root, SECOND, trained=False)
    chosen = choose(root, run="last")
    assert chosen.directory == root / "runs" / FIRST / "steps" / "train" / "model"
    assert chosen.as_json()["run"] == FIRST
    assert choose(root, model=str(tmp_path / "model")).directory == tmp_path / "model"


def test_of_several_models_the_pipelines_own_is_taken_or_one_asked_for(
    root: Path, tmp_path: Path
) -> None:
    for name in ("boots", "bags"):
        add_version(root, tmp_path / "model", model=name)
        add_version(tmp_path, tmp_path / "model", model=name)
    assert choose(root).title == "fashion-mnist version 2"
    with pytest.raises(UsageError, match=r"say which, as NAME@default, .* bags, boots"):
        choose(tmp_path)
    assert choose(tmp_path, version="bags@default").title == "bags version 1"


def test_what_is_not_there_is_told_in_a_line(root: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no model in .* yet: `fashion-mnist run`"):
        choose(tmp_path / "empty")
    with pytest.raises(RegistryError, match="no version or alias '9'"):
        choose(root, version="9")
    with pytest.raises(UsageError, match=r"there is no saved_model\.pb in it"):
        choose(root, model=str(tmp_path))
    with pytest.raises(UsageError, match=r"--model bags@1: .*, and no .*, only fashion-mnist$"):
        choose(root, model="bags@1")
    with pytest.raises(UsageError, match="--version and --run: each names a model"):
        choose(root, version="1", run="last")
    add_run(root, SECOND, state="failed", trained=False)
    with pytest.raises(CommandError, match=rf"run {SECOND} \(failed\) left no model"):
        choose(root, run=SECOND)
    shutil.rmtree(root / "runs" / FIRST)
    with pytest.raises(CommandError, match=r"holds no run with a model"):
        choose(root, run="last")
