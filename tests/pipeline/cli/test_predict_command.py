"""Photos on the command line, and a model that names the lightest row of them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from components.evaluate import predictions as asked
from components.evaluate.predictions import ModelError
from pipeline.cli.predict_command import show_prediction
from pipeline.photos.predictions import Photo
from tests.photographs import encoded
from tests.pipeline.cli.conftest import Call
from tests.pipeline.local_registry import FIRST, add_run, add_version

ROOT = Path(".fashion-mnist")


@pytest.fixture(autouse=True)
def model(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A champion whose class is the number of the lightest of the first ten rows."""

    def predict(directory: Path, images: Any, *, name: str, cure: str) -> Any:
        if not (directory / "saved_model.pb").read_bytes():
            raise ModelError(f"{name} cannot be used; {cure}")
        rows = images[:, :10].sum(axis=2) / 1000.0
        return np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)

    monkeypatch.setattr(asked, "predict", predict)
    add_version(ROOT, Path("model"))


def photo_of(row: int) -> bytes:
    image = np.zeros((28, 28), np.uint8)
    image[row] = 255
    return encoded(Image.fromarray(image))


def test_each_photo_is_answered_in_a_line(call: Call) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path("trousers.png").write_bytes(photo_of(1))
    done = call("predict", "boot.png", "trousers.png")
    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.startswith("boot.png: Ankle boot 9")
    assert second.startswith("trousers.png: Trouser 9")
    assert len(first.split(", ")) == 3
    assert done.stderr == "asked fashion-mnist version 1\n"


def test_each_unreadable_photo_is_a_line_and_the_others_are_answered(call: Call) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path("notes.txt").write_text("no photo")
    Path("folder").mkdir()
    url, address = "https://example.com/boot.png", "gs://bucket/boot.png"
    boot = f"file://{Path.cwd()}/boot.png"
    done = call("predict", "notes.txt", boot, "gone.png", "folder", url, address)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{boot}: Ankle boot")
    assert done.stderr.splitlines()[:5] == [
        "error: notes.txt: it is not an image; save it as PNG or JPEG",
        "error: gone.png: No such file or directory",
        "error: folder: it is a directory; give the files in it",
        f"error: {url}: it is a URL; download it and give the file",
        f"error: {address}: it is in a bucket; copy it here: `gcloud storage cp {address} .`",
    ]


def test_json_has_every_photo_in_the_order_of_the_arguments(call: Call) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    Path("notes.txt").write_text("no photo")
    files = ("notes.txt", "-", "boot.png")
    done = call("predict", "--json", "--top", "2", *files, input=photo_of(3))
    assert done.exit_code == 1
    unread, dress, boot = json.loads(done.stdout)
    assert unread == {"file": "notes.txt", "error": "it is not an image; save it as PNG or JPEG"}
    assert (dress["file"], boot["file"]) == ("-", "boot.png")
    best, second = dress["predictions"]
    assert (best["class"], best["class_id"]) == ("Dress", 3)
    assert best["probability"] > 0.9 > second["probability"]
    assert boot["predictions"][0]["class"] == "Ankle boot"
    assert (boot["model"]["model"], boot["model"]["version"]) == ("fashion-mnist", 1)
    assert len(boot["sha256"]) == 64


def test_what_the_network_saw_is_saved_beside_the_photos(call: Call) -> None:
    for name in ("a/boot.png", "seen/boot.png"):
        Path(name).parent.mkdir()
        Path(name).write_bytes(photo_of(9))
    photos = ("a/boot.png", f"file://{Path.cwd()}/seen/boot.png", "-")
    done = call("predict", "--save", "seen", *photos, input=photo_of(2))
    assert done.exit_code == 0, done.output
    names = {path.name for path in Path("seen").iterdir()}
    assert names == {"boot.png", "boot-2.png", "boot-3.png", "stdin.png"}
    assert Path("seen/boot.png").read_bytes() == photo_of(9), "a photo is not overwritten"
    assert (np.asarray(Image.open("seen/stdin.png"))[2] == 255).all()
    assert "seen/boot-2.png" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (("--run", "last"), f"the model of run {FIRST}"),
        (("--model", "model"), "the model in model"),
        (("--version", "default"), "fashion-mnist version 1"),
    ],
)
def test_another_model_can_be_named(arguments: tuple[str, ...], title: str, call: Call) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    add_run(ROOT, FIRST)
    done = call("predict", *arguments, "boot.png")
    assert done.exit_code == 0, done.output
    assert done.stderr == f"asked {title}\n"


def test_an_unusable_model_is_one_line(call: Call) -> None:
    Path("boot.png").write_bytes(photo_of(9))
    (ROOT / "registry/fashion-mnist/1/saved_model.pb").write_bytes(b"")
    done = call("predict", "boot.png")
    assert done.exit_code == 1
    assert done.stderr == (
        "error: fashion-mnist version 1 cannot be used; choose another one with --version, --run "
        "or --model\n"
    )


def test_without_a_model_the_line_says_how_to_get_one(call: Call) -> None:
    done = call("predict", "--root", "elsewhere", "boot.png")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "fashion-mnist run` trains one" in done.stderr


def shown(**terminal: Any) -> str:
    seen = np.zeros((28, 28), np.uint8)
    seen[0] = 200
    ranking = [("Bag", 0.4375), ("Shirt", 0.25), ("Coat", 0.01)]
    output = io.StringIO()
    console = Console(file=output, width=80, legacy_windows=False, _environ={}, **terminal)
    show_prediction(Photo("[red]bag.png", "", seen), ranking, console)
    return output.getvalue()


def test_a_terminal_with_colours_shows_the_picture_beside_the_names() -> None:
    text = shown(force_terminal=True, color_system="truecolor")
    lines = text.splitlines()
    assert len(lines) == 15
    assert text.count("▀") == 28 * 14, "a character for two pixels"
    assert "38;2;200;200;200;48;2;0;0;0m▀" in lines[0]
    assert "[red]bag.png" in lines[0]
    assert "43.8 %" in lines[2]
    assert "not sure" in text


@pytest.mark.parametrize("terminal", [{"color_system": "standard"}, {"no_color": True}])
def test_a_terminal_without_colours_shows_the_names(terminal: dict[str, Any]) -> None:
    text = shown(force_terminal=True, **terminal)
    assert "▀" not in text
    assert "Bag" in text
