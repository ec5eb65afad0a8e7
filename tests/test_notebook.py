"""The notebook: as it is kept, and run from its first cell to its last."""

import hashlib
import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from pipeline.compiler import PROJECT
from pipeline.local import run as local
from pipeline.notebook import ask, last_run
from pipeline.notebook.artifacts import VARIABLE
from pipeline.photos.predictions import read
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests.command import fashion_mnist, versions
from tests.idx_files import synthetic_images, write_idx_set
from tests.photographs import PHOTOGRAPHS

pytestmark = pytest.mark.timeout(1800)
NOTEBOOK = PROJECT / "notebooks" / "components.ipynb"
CELL_SECONDS = 1200
THE_EMULATORS = {".lock", ".meta", ".cloudstorage"}
"""Files and folders that the bucket's server keeps for itself; deleted objects are among them."""
SMALL = (
    *("validation_examples=50", "shards=2", "batch_size=32", "filters=[16, 32]", "epochs=2"),
    *("min_accuracy=0", "learning_rate=0.12"),
)


def read_notebook() -> Any:
    return nbformat.reads(NOTEBOOK.read_text(), as_version=4)  # type: ignore[no-untyped-call]


def committed() -> str:
    """The notebook as git has it: one that is open in JupyterLab has outputs in its file."""
    command = ["git", "-C", str(PROJECT), "show", f":{NOTEBOOK.relative_to(PROJECT)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else NOTEBOOK.read_text()


def test_git_has_no_outputs_and_nothing_of_a_machine() -> None:
    notebook = json.loads(committed())
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}, cell["id"]
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), cell["id"]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}


def test_each_cell_is_short_and_has_its_text_before_it() -> None:
    before = None
    for cell in read_notebook().cells:
        if cell.cell_type == "code":
            assert before == "markdown", cell.id
            assert len(cell.source.splitlines()) <= 14, cell.id
        else:
            assert len(cell.source.splitlines()) <= 20, cell.id
        before = cell.cell_type


class Executed:
    """The notebook after its cells have run."""

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
        """What a cell printed, and its value as plain text."""
        return "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for output in self.outputs(cell_id)
        )

    def html(self, cell_id: str) -> str:
        return "".join(o.get("data", {}).get("text/html", "") for o in self.outputs(cell_id))

    def complaints(self) -> list[str]:
        """What was written to standard error."""
        return [
            output.text
            for cell in self.notebook.cells
            if cell.cell_type == "code"
            for output in cell.outputs
            if output.get("name") == "stderr"
        ]


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, str]]:
    """A root with one run on a small dataset, and what was in it then."""
    path = tmp_path_factory.mktemp("project")
    source = write_idx_set(path / "source", train_per_class=60, test_per_class=10)
    given = [*SMALL, f"digests={json.dumps(source)}"]
    options = [word for parameter in given for word in ("-p", parameter)]
    root = ("--root", str(path / "root"), "--source", "source")
    done = fashion_mnist("run", *root, *options, cwd=path)
    assert done.returncode == 0, done.stdout + done.stderr
    yield contents(path / "root", "runs", "cache", "bucket", "registry/fashion-mnist/1")


def contents(root: Path, *folders: str) -> dict[Path, str]:
    """SHA-256 of each file."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.is_file() and not THE_EMULATORS.intersection(path.parts)
    }


def root_of(files: dict[Path, str]) -> Path:
    return next(path for path in next(iter(files)).parents if path.name == "root")


@pytest.fixture(scope="module")
def executed(digests: dict[Path, str]) -> Iterator[Executed]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(root_of(digests)))
        yield Executed(root_of(digests))


def test_it_ends_with_a_new_version_that_was_trained_with_the_changed_hyperparameter(
    executed: Executed,
) -> None:
    assert versions(executed.root) == ["1", "2"]
    home = executed.root / "registry" / "fashion-mnist"
    rates = [
        json.loads((home / number / "version.json").read_text())["parameters"]["learning_rate"]
        for number in ("1", "2")
    ]
    assert rates == [0.12, 0.06]
    assert json.loads((home / "aliases.json").read_text())["default"] == 2
    assert "<td>2</td>" in executed.html("upload")


def test_nothing_goes_to_standard_error(executed: Executed) -> None:
    assert executed.complaints() == []


def test_no_cell_says_more_than_a_page(executed: Executed) -> None:
    cells = [cell.id for cell in executed.notebook.cells if cell.cell_type == "code"]
    lengths = {each: len(executed.text(each).splitlines()) for each in cells}
    assert {each: length for each, length in lengths.items() if length > 40} == {}


def test_earlier_run_cache_and_bucket_stay_as_they_were(
    executed: Executed, digests: dict[Path, str]
) -> None:
    now = contents(executed.root, "runs", "cache", "bucket", "registry/fashion-mnist/1")
    assert {path: now.get(path) for path in digests} == digests
    assert not [path for path in now.keys() - digests.keys() if "runs" not in path.parts]


def test_each_rerun_has_left_a_summary(executed: Executed) -> None:
    summaries = [json.loads(path.read_text()) for path in executed.root.glob("runs/*/summary.json")]
    again = {one["run"]: one for one in summaries if one["earlier"]}
    assert len(again) == len(summaries) - 1 == 7
    assert {one["state"] for one in summaries} == {"done"}


def test_every_picture_and_the_report_are_there(executed: Executed) -> None:
    for cell in ("raw", "decoded-images", "curves", "ask", "draw"):
        assert "<svg" in executed.html(cell), cell
    assert "srcdoc=" in executed.html("report")
    assert "Evaluate: done in" in executed.text("evaluate")
    assert "image: bytes_list, here 784 bytes" in executed.text("decode")
    assert "<- image: uint8 [N, 28, 28]" in executed.text("signatures")


def test_a_photo_in_a_file_is_asked_about_as_by_predict(executed: Executed, tmp_path: Path) -> None:
    run = last_run(root=executed.root)
    photo = tmp_path / "shirt.jpg"
    image = synthetic_images(np.array([6], np.uint8))[0]
    photo.write_bytes(PHOTOGRAPHS["coloured on cream"](image))
    told = ask(run.artifact("model"), str(photo))
    assert told == pytest.approx(ask(run.artifact("model"), read(str(photo)).seen))
    assert told.sum() == pytest.approx(1, abs=1e-3)


def test_the_commands_at_the_end_take_what_was_changed(executed: Executed) -> None:
    run, submit = executed.text("pipeline").splitlines()
    for line in (run, submit):
        words = shlex.split(line)
        given = [words[place + 1] for place, word in enumerate(words) if word == "-p"]
        values = parameters.parse(given, specs.load(local.DEFAULT_SPEC))
        assert values["learning_rate"] == 0.06
        assert values["filters"] == [16, 32]


@pytest.mark.slow
@pytest.mark.real_data
def test_without_a_run_it_makes_one_on_the_real_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "root"))
    executed = Executed(tmp_path / "root")
    assert versions(executed.root) == ["1", "2"]
    assert "60,000 images of 28 by 28 pixels" in executed.text("raw")
