"""Folders of photos on the command line, and files with a row for each photo."""

import csv
import json
from pathlib import Path

import pytest

from tests.idx_files import FASHION
from tests.pipeline.cli.conftest import Call
from tests.saved_models import picture_of

pytestmark = pytest.mark.usefixtures("champion")


def photos_in_a_folder() -> None:
    """Nine that can be read, one that cannot, and what is no photo."""
    Path("photos/more").mkdir(parents=True)
    Path("photos/.hidden").mkdir()
    for row in range(9):
        Path(f"photos/more/{row}.PNG").write_bytes(picture_of(row))
    Path("photos/bad.jpg").write_text("no photo")
    Path("photos/.hidden/2.png").write_bytes(picture_of(2))
    Path("photos/notes.txt").write_text("no photo")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_folder_becomes_rows_and_is_continued_where_it_was_interrupted(
    kind: str, call: Call
) -> None:
    photos_in_a_folder()
    target = Path(f"new/answers.{kind}")
    done = call("predict", "photos", f"--{kind}", str(target))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "9 answers by fashion-mnist version 1 added, 1 photos could not be read" in done.stderr
    whole = target.read_bytes()
    for cut in (len(whole) - 5, len(whole) // 2, 30, 0):
        target.write_bytes(whole[:cut])
        call("predict", "photos", f"--{kind}", str(target))
        assert sorted(target.read_bytes().splitlines()) == sorted(whole.splitlines())
    Path("photos/bad.jpg").write_bytes(picture_of(3))
    done = call("predict", "photos", f"--{kind}", str(target))
    assert done.exit_code == 0
    assert "1 answers by fashion-mnist version 1 added; 9 answers were there before" in done.stderr
    assert "no photo" not in target.read_text()


def test_rows_have_the_classes_their_probabilities_and_what_went_wrong(call: Call) -> None:
    photos_in_a_folder()
    call("predict", "photos", "--csv", "a.csv", "--top", "2")
    call("predict", "photos", "--jsonl", "a.jsonl", "--top", "2")
    with Path("a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    facts = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    assert [row["file"] for row in rows] == [fact["file"] for fact in facts]
    assert (rows[0]["file"], rows[0]["class"]) == ("photos/bad.jpg", "")
    assert rows[0]["error"] == facts[0]["error"] == "it is not an image; save it as PNG or JPEG"
    assert [row["class"] for row in rows[1:]] == list(FASHION.classes[:9])
    assert {(row["sure"], row["error"], row["model"]) for row in rows[1:]} == {
        ("yes", "", "fashion-mnist version 1")
    }
    best, second = facts[1]["predictions"]
    assert float(rows[1]["probability"]) == pytest.approx(best["probability"], abs=1e-6)
    assert rows[1]["class_2"] == second["class"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_rows_of_another_model_or_another_file_are_left_alone(kind: str, call: Call) -> None:
    Path("boot.png").write_bytes(picture_of(9))
    option = f"--{kind}"
    call("predict", "boot.png", option, "rows")
    before = Path("rows").read_bytes()
    done = call("predict", "--model", "model", "boot.png", option, "rows")
    assert done.exit_code == 2
    assert "rows has answers of another model; give another file for the model in" in done.stderr
    assert Path("rows").read_bytes() == before
    done = call("predict", "boot.png", option, "boot.png")
    assert done.exit_code == 2
    assert "boot.png has other rows than this command writes" in done.stderr
    assert Path("boot.png").read_bytes() == picture_of(9)
    assert call("predict", "boot.png", option, "rows", "--json").exit_code == 2
    if kind == "csv":
        done = call("predict", "boot.png", option, "rows", "--top", "5")
        assert (done.exit_code, "was made with another --top" in done.stderr) == (2, True)
