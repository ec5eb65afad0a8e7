"""A folder of pictures on the command line."""

import json
import shutil
from pathlib import Path

import pytest

from components.dataset.description import Description
from tests.pipeline.cli.conftest import Call
from tests.pipeline.packing.folders import noise, picture_folder, save


@pytest.fixture
def photos(call: Call) -> Path:
    return picture_folder(Path("photos"), {"boot": 20, "shoe": 4}, (40, 30, 3))


def test_a_folder_becomes_a_data_set_and_the_next_command_is_named(
    call: Call, photos: Path
) -> None:
    done = call("pack", "photos", "my set")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "Class  Training  Test",
        "boot   17        3",
        "shoe   3         1",
        "all    20        4",
        "",
        "photos: 28x28, in my set",
    ]
    words = "Next fashion-mnist run --source 'my set' trains a model on it"
    assert " ".join(done.stderr.split()) == words
    about = Description.read(Path("my set"))
    assert (about.name, about.shape, about.preparation) == ("photos", (28, 28), "scaled")
    assert about.mirror_changes_class is False


def test_the_options_are_in_the_description(call: Call, photos: Path) -> None:
    given = "--size 20x12 --colour --name signs --prepare subject --mirror-changes-class"
    done = call("pack", "photos", "out", *given.split(), "--test", "0.5", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["out"], told["counts"]) == ("out", {"train": [10, 2], "test": [10, 2]})
    about = Description.read(Path("out"))
    assert told["dataset"] == about.as_dict()
    assert (about.name, about.height, about.width, about.channels) == ("signs", 20, 12, 3)
    assert (about.preparation, about.mirror_changes_class) == ("subject", True)


def test_what_is_left_out_or_equal_is_said_and_ends_well(call: Call) -> None:
    picture_folder(Path("photos/train"), {"a": 4, "b": 4})
    picture_folder(Path("photos/test"), {"a": 1, "b": 1}, seed=20)
    picture_folder(Path("photos/val"), {"a": 1}, seed=30)
    save(Path("photos/test/b/again.png"), noise(1))
    Path("photos/train/a/notes.txt").touch()
    Path("photos/papers").mkdir()
    for number in range(5):
        Path(f"photos/train/b/x{number}.jpg").write_text("no picture")
    done = call("pack", "photos", "out")
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[:-2] == [
        "note: val counts to training; `run` holds out validation examples itself",
        "note: left out: papers, beside the folders of the splits",
        "note: 1 file of another kind is left out (.txt)",
        "warning: 5 pictures cannot be used and are left out:",
        "  train/b/x0.jpg: it is not an image; save it as PNG or JPEG",
        "  train/b/x1.jpg: it is not an image; save it as PNG or JPEG",
        "  train/b/x2.jpg: it is not an image; save it as PNG or JPEG",
        "  and 2 more, which `--json` lists",
        "warning: 1 picture of the test is in training too; remove it for an honest accuracy:",
        "  test/b/again.png is equal to train/a/0.png",
        "warning: 1 picture is in two classes; remove it from one:",
        "  train/a/0.png is equal to test/b/again.png",
    ]
    assert len(json.loads(call("pack", "photos", "out", "--json").stdout)["refused"]) == 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--size", "300"), "--size is 300; give pixels from 8 to 256, as 28, or HEIGHTxWIDTH"),
        (("--size", "20x7"), "--size is 20x7; give pixels from 8 to 256"),
        (("--size", "large"), "--size is large; give pixels from 8 to 256"),
        (("--test", "15"), "--test is 15; give a share above 0, at most 0.9, as 0.15"),
        (("--test", "nan"), "--test is nan; give a share above 0"),
        (("--name", ""), "--name is empty; give a value, or leave it out"),
        (("--prepare", "cut"), "'cut' is not one of 'scaled', 'subject'"),
        (("--colr",), "No such option: --colr; did you mean --color?"),
    ],
)
def test_wrong_use_is_a_line_and_nothing_is_written(
    arguments: tuple[str, ...], told: str, call: Call, photos: Path
) -> None:
    done = call("pack", "photos", "out", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert not Path("out").exists()


def test_a_share_is_refused_where_a_folder_has_the_test(call: Call) -> None:
    for split in ("train", "test"):
        picture_folder(Path("photos", split), {"a": 2, "b": 2})
    done = call("pack", "photos", "out", "--test", "0.2")
    assert done.exit_code == 2
    assert "photos/test has the pictures for the test; leave out --test" in done.stderr


def test_a_class_without_usable_pictures_is_a_line_with_exit_code_1(
    call: Call, photos: Path
) -> None:
    shutil.rmtree(photos / "boot")
    (photos / "boot").mkdir()
    (photos / "boot/1.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    done = call("pack", "photos", "out")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "boot can be used; boot/1.heic: it is a HEIC photo" in done.stderr


def test_progress_is_shown_on_a_terminal(
    call: Call, photos: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    assert call("pack", "photos", "out").exit_code == 0
    assert "preparing pictures" in (shown := capfd.readouterr().err)
    assert "/24" in shown
