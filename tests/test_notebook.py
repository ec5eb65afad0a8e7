"""The notebook, run from its first cell to its last on a small dataset."""

import hashlib
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from components.train.trainer.hyperparameters import Hyperparameters
from pipeline.compiler import PROJECT
from pipeline.local import run as local
from pipeline.runs.registry import Registry
from pipeline.runs.root import VARIABLE
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests.command import versions
from tests.small_project import FirstRun

pytestmark = pytest.mark.timeout(1800)
NOTEBOOK = PROJECT / "notebooks" / "components.ipynb"
CELL_SECONDS = 1200
OF_THE_EMULATOR = {".lock", ".meta", ".cloudstorage", "_softdelete", "_resumable"}


def read_notebook() -> Any:
    return nbformat.reads(NOTEBOOK.read_text(), as_version=4)  # type: ignore[no-untyped-call]


class Executed:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.notebook = read_notebook()
        place = {"metadata": {"path": str(NOTEBOOK.parent)}}
        NotebookClient(self.notebook, timeout=CELL_SECONDS, resources=place).execute()

    def outputs(self, cell_id: str) -> list[Any]:
        (cell,) = [cell for cell in self.notebook.cells if cell.id == cell_id]
        found: list[Any] = cell.outputs
        return found

    def text(self, cell_id: str) -> str:
        return "".join(output.get("text", "") for output in self.outputs(cell_id))

    def html(self, cell_id: str) -> str:
        return "".join(o.get("data", {}).get("text/html", "") for o in self.outputs(cell_id))


@pytest.fixture(scope="module")
def root(first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a root with one run on a small dataset."""
    return Path(shutil.copytree(first_run.root, tmp_path_factory.mktemp("project") / "root"))


def contents(root: Path) -> dict[Path, str]:
    """SHA-256 of each file of the first run, of the cache and of the bucket."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("runs", "cache", "bucket", "registry/fashion-mnist/1")
        for path in (root / folder).rglob("*")
        if path.is_file() and not OF_THE_EMULATOR.intersection(path.parts)
    }


@pytest.fixture(scope="module")
def before(root: Path) -> dict[Path, str]:
    return contents(root)


@pytest.fixture(scope="module")
def executed(root: Path, before: dict[Path, str]) -> Iterator[Executed]:
    del before
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(root))
        yield Executed(root)


def test_the_committed_cells_have_no_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert [cell["id"] for cell in cells if cell.get("outputs")] == []


def test_it_ends_with_a_new_version_that_was_trained_with_the_changed_hyperparameter(
    executed: Executed,
) -> None:
    assert versions(executed.root) == ["1", "2"]
    home = executed.root / "registry" / "fashion-mnist"
    rates = [
        json.loads((home / number / "version.json").read_text())["parameters"]["learning_rate"]
        for number in ("1", "2")
    ]
    assert rates == [Hyperparameters().learning_rate, Hyperparameters().learning_rate / 2]
    assert "<td>2</td>" in executed.html("upload")


def test_the_tour_leaves_the_champion_as_it_was(executed: Executed) -> None:
    registry = Registry(executed.root / "registry")
    assert registry.resolve("fashion-mnist", "default").number == 1


def test_earlier_run_cache_and_bucket_stay_as_they_were(
    executed: Executed, before: dict[Path, str]
) -> None:
    now = contents(executed.root)
    assert {path: now.get(path) for path in before} == before
    assert not [path for path in now.keys() - before.keys() if "runs" not in path.parts]


def test_every_picture_and_the_report_are_there_and_nothing_is_on_standard_error(
    executed: Executed,
) -> None:
    for cell in ("raw", "decoded-images", "curves", "ask", "draw"):
        assert re.search('role="img" aria-label="[^"]+"[^>]*><svg', executed.html(cell)), cell
    assert "srcdoc=" in executed.html("report")
    assert "Evaluate: done in" in executed.text("evaluate")
    assert "image: bytes_list, here 784 bytes" in executed.text("decode")
    assert "<- image: uint8 [N, 28, 28]" in executed.text("signatures")
    outputs = [output for cell in executed.notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


def test_the_commands_at_the_end_take_what_was_changed(executed: Executed) -> None:
    run, submit = executed.text("pipeline").splitlines()
    for line in (run, submit):
        words = shlex.split(line)
        given = [words[place + 1] for place, word in enumerate(words) if word == "-p"]
        values = parameters.parse(given, specs.load(local.DEFAULT_SPEC))
        assert (values["learning_rate"], values["filters"]) == (0.05, [16, 32])
