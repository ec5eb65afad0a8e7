"""Photos on the command line, and a model that names what is in the lightest row of them."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from components.evaluate.predictions import predict as start_tensorflow
from pipeline.cli.app import app
from pipeline.cli.prediction_view import picture, show
from pipeline.compiler import PROJECT
from pipeline.photos.predictions import Photo, Prediction
from tests.photographs import encoded
from tests.pipeline.local_registry import add_run, add_version

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel: the class is the number of the lightest of the first ten rows."""
    start = tmp_path_factory.mktemp("start")
    with pytest.raises(Exception, match=r"no saved_model\.pb"):
        start_tensorflow(start, np.zeros((1, 28, 28), np.uint8), name="", cure="")
    import tensorflow as tf

    module = tf.Module()

    def answer(image: Any) -> dict[str, Any]:
        rows = tf.reduce_sum(tf.cast(image[:, :10], tf.float32), axis=2)
        return {"probabilities": tf.nn.softmax(rows / 1000)}

    images = tf.TensorSpec([None, 28, 28], tf.uint8, name="image")
    module.serving_default = tf.function(answer, input_signature=[images])
    path = tmp_path_factory.mktemp("model") / "saved"
    signatures = {"serving_default": module.serving_default}
    tf.saved_model.save(module, str(path), signatures=signatures)
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path) -> Command:
    """Calls ``fashion-mnist predict`` where a registry has the model as its champion."""
    monkeypatch.chdir(tmp_path)
    add_version(Path(".fashion-mnist"), model)
    return lambda *arguments, **more: CliRunner().invoke(app, ["predict", *arguments], **more)


def photo_of(row: int) -> bytes:
    image = np.zeros((28, 28), np.uint8)
    image[row] = 255
    return encoded(Image.fromarray(image))


def test_each_photo_is_told_of_in_a_line(command: Command) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path("trousers.png").write_bytes(photo_of(1))
    done = command("boot.png", "trousers.png")
    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.startswith("boot.png: Ankle boot 9")
    assert second.startswith("trousers.png: Trouser 9")
    assert len(first.split(", ")) == 3
    assert "asked fashion-mnist version 1" in done.stderr


def test_what_cannot_be_read_is_a_line_and_the_others_are_still_asked_about(
    command: Command,
) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path("notes.txt").write_text("no photo")
    Path("folder").mkdir()
    address = "https://example.com/boot.png"
    done = command("notes.txt", "boot.png", "gone.png", "folder", address)
    assert done.exit_code == 1
    assert done.stdout.startswith("boot.png: Ankle boot")
    assert done.stderr.splitlines()[:4] == [
        "error: notes.txt: it is no image that can be read; save it as PNG or JPEG",
        "error: gone.png: No such file or directory",
        "error: folder: it is a directory; give the files in it",
        f"error: {address}: it is an address; download it and give the file",
    ]


def test_json_has_every_photo_in_the_order_in_which_it_was_given(command: Command) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path("notes.txt").write_text("no photo")
    done = command("--json", "--top", "2", "notes.txt", "-", "boot.png", input=photo_of(3))
    assert done.exit_code == 1
    unread, given, boot = json.loads(done.stdout)
    assert unread["file"] == "notes.txt"
    assert "no image" in unread["error"]
    assert (given["file"], boot["file"]) == ("-", "boot.png")
    best, second = given["predictions"]
    assert (best["class"], best["class_id"]) == ("Dress", 3)
    assert best["probability"] > 0.9 > second["probability"]
    assert boot["predictions"][0]["class"] == "Ankle boot"
    assert (boot["model"]["model"], boot["model"]["version"]) == ("fashion-mnist", 1)
    assert len(boot["sha256"]) == 64


def test_what_the_network_saw_is_written_where_it_is_asked_for(command: Command) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "boot.png").write_bytes(photo_of(9))
    done = command("--save", "seen", "a/boot.png", "b/boot.png", "-", input=photo_of(2))
    assert done.exit_code == 0, done.output
    assert {path.name for path in Path("seen").iterdir()} == {"boot.png", "boot-2.png", "stdin.png"}
    assert (np.asarray(Image.open("seen/stdin.png"))[2] == 255).all()
    assert "seen/boot-2.png" in done.stderr


def test_a_photo_is_not_overwritten_by_what_the_network_saw(command: Command) -> None:
    photo = photo_of(9)
    Path("boot.png").write_bytes(photo)
    done = command("--save", ".", "boot.png")
    assert done.exit_code == 0, done.output
    assert Path("boot.png").read_bytes() == photo
    assert Image.open("boot-2.png").size == (28, 28)


def test_another_model_is_asked_when_it_is_named(command: Command, model: Path) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    run = "fashion-mnist-20261124-090000-cd34"
    add_run(Path(".fashion-mnist"), run)
    for arguments, title in (
        (("--run", "last"), f"the model of run {run}"),
        (("--model", str(model)), f"the model in {model}"),
        (("--version", "default"), "fashion-mnist version 1"),
    ):
        done = command(*arguments, "boot.png")
        assert done.exit_code == 0, done.output
        assert f"asked {title}" in done.stderr
        assert "Ankle boot" in done.stdout


def test_a_model_that_cannot_be_used_is_a_line(command: Command) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path(".fashion-mnist/registry/fashion-mnist/1/saved_model.pb").write_bytes(b"no graph")
    done = command("boot.png")
    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert "fashion-mnist version 1 in" in line
    assert "choose another one with --version, --run or --model" in line


def test_without_a_model_the_line_says_how_to_get_one(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done = command("--root", "elsewhere", "boot.png")
    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    for text in ("make run", "fashion-mnist run --preset fast"):
        assert text in line


def test_tensorflow_is_not_started_for_photos_that_cannot_be_read(
    command: Command, tmp_path: Path
) -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from pipeline.cli.app import app\n"
        "done = CliRunner().invoke(app, ['predict', '--root', sys.argv[1], 'gone.png'])\n"
        "print(done.exit_code, 'tensorflow' in sys.modules)"
    )
    call = [sys.executable, "-c", code, str(tmp_path / ".fashion-mnist")]
    done = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


class TestOnATerminal:
    def shown(self, **terminal: Any) -> str:
        seen = np.zeros((28, 28), np.uint8)
        seen[0] = 200
        ranking = [("Bag", 0.4375), ("Shirt", 0.25), ("Coat", 0.01)]
        console = Console(
            file=io.StringIO(), width=80, legacy_windows=False, _environ={}, **terminal
        )
        show(Prediction(Photo("[red]bag.png", "", seen), ranking), console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    def test_the_picture_stands_beside_the_names(self) -> None:
        shown = self.shown(force_terminal=True, color_system="truecolor")
        lines = shown.splitlines()
        assert len(lines) == 15
        assert shown.count("▀") == 28 * 14
        assert "38;2;200;200;200;48;2;0;0;0m▀" in lines[0]
        assert "[red]bag.png" in lines[0]
        assert "43.8 %" in lines[2]
        assert "not sure" in shown

    @pytest.mark.parametrize(
        "terminal",
        [
            {"color_system": None},
            {"color_system": "standard"},
            {"color_system": "truecolor", "no_color": True},
        ],
    )
    def test_without_colours_there_is_no_picture(self, terminal: dict[str, Any]) -> None:
        shown = self.shown(force_terminal=True, **terminal)
        assert "▀" not in shown
        assert "Bag" in shown

    def test_elsewhere_it_is_one_line(self) -> None:
        assert self.shown() == "[red]bag.png: Bag 43.8 %, Shirt 25.0 %, Coat 1.0 %\n"

    def test_a_picture_has_a_character_for_two_pixels(self) -> None:
        assert picture(np.zeros((4, 3), np.uint8)).plain == "▀▀▀\n▀▀▀"
