"""Photos on the command line, and models that name the lightest row of them."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.labels import NOTHING
from serving.photos import DAMAGED
from tests.command import fashion_mnist
from tests.idx_files import FASHION
from tests.photographs import encoded
from tests.pipeline.cli.conftest import ROOT, Call
from tests.pipeline.local_registry import FIRST, add_run
from tests.saved_models import make_classifier, picture_of

pytestmark = pytest.mark.usefixtures("champion")


def test_each_photo_is_answered_in_a_line(call: Call) -> None:
    Path("boot.png").write_bytes(picture_of(9))
    Path("trousers.png").write_bytes(picture_of(1))
    done = call("predict", "boot.png", "trousers.png")
    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.startswith("boot.png: Ankle boot 9")
    assert second.startswith("trousers.png: Trouser 9")
    assert len(first.split(", ")) == 3
    assert done.stderr == "asked fashion-mnist version 1\n"


def test_each_unreadable_photo_is_a_line_and_the_others_are_answered(call: Call) -> None:
    Path("boot.png").write_bytes(picture_of(9))
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
        "error: folder: there is no image file in this folder",
        f"error: {url}: it is a URL; download it and give the file",
        f"error: {address}: it is in a bucket; copy it here: `gcloud storage cp {address} .`",
    ]


def test_json_has_every_photo_in_the_order_of_the_arguments(call: Call) -> None:
    Path("boot.png").write_bytes(picture_of(9))
    Path("notes.txt").write_text("no photo")
    files = ("notes.txt", "-", "boot.png")
    done = call("predict", "--json", "--top", "2", *files, input=picture_of(3))
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


def test_an_answer_says_when_it_is_not_sure(call: Call) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[3:5] = 255
    Path("unsure.png").write_bytes(encoded(Image.fromarray(image)))
    Path("boot.png").write_bytes(picture_of(9))
    first, second = call("predict", "unsure.png", "boot.png").stdout.splitlines()
    assert first.endswith("(not sure)")
    assert "not sure" not in second
    done = call("predict", "--json", "unsure.png", "boot.png")
    assert [photo["sure"] for photo in json.loads(done.stdout)] == [False, True]


def test_a_photo_that_shows_nothing_is_a_line(call: Call) -> None:
    Path("empty.png").write_bytes(encoded(Image.new("L", (28, 28))))
    Path("torn.jpg").write_bytes(encoded(Image.new("RGB", (90, 90), "red"), "JPEG")[:-10])
    for row in range(8):
        Path(f"{row}.png").write_bytes(picture_of(row))
    done = call("predict", "empty.png", "torn.jpg", *(f"{row}.png" for row in range(8)))
    assert done.exit_code == 1
    assert [line.split(" 9")[0] for line in done.stdout.splitlines()] == [
        f"{row}.png: {name}" for row, name in enumerate(FASHION.classes[:8])
    ]
    assert f"error: empty.png: {NOTHING}\n" in done.stderr
    assert f"error: torn.jpg: {DAMAGED}\n" in done.stderr


def test_what_the_network_saw_is_saved_beside_the_photos(call: Call) -> None:
    for name in ("a/boot.png", "seen/boot.png"):
        Path(name).parent.mkdir()
        Path(name).write_bytes(picture_of(9))
    photos = ("a/boot.png", f"file://{Path.cwd()}/seen/boot.png", "-")
    done = call("predict", "--save", "seen", *photos, input=picture_of(2))
    assert done.exit_code == 0, done.output
    names = {path.name for path in Path("seen").iterdir()}
    assert names == {"boot.png", "boot-2.png", "boot-3.png", "stdin.png"}
    assert Path("seen/boot.png").read_bytes() == picture_of(9), "a photo is not overwritten"
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
    Path("boot.png").write_bytes(picture_of(9))
    shutil.rmtree(trained := add_run(ROOT, FIRST) / "steps" / "train" / "model")
    trained.symlink_to(Path("model").resolve())
    done = call("predict", *arguments, "boot.png")
    assert done.exit_code == 0, done.output
    assert done.stderr == f"asked {title}\n"


def test_an_unusable_model_is_one_line(call: Call) -> None:
    Path("boot.png").write_bytes(picture_of(9))
    (ROOT / "registry/fashion-mnist/1/saved_model.pb").write_bytes(b"")
    done = call("predict", "boot.png")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: fashion-mnist version 1 in .fashion-mnist/registry/")
    assert done.stderr.endswith(", or choose another one with --version, --run or --model\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("labelled", [True, False])
def test_classes_have_the_names_that_the_model_gives_them(labelled: bool, call: Call) -> None:
    """Names of the model's own, as many as it has; without any, numbers."""
    Path("shape.png").write_bytes(picture_of(2))
    names = ["circle", "square", "triangle", *(f"star {points}" for points in range(5, 14))]
    make_classifier(Path("shapes"), names, labelled=labelled)
    done = call("predict", "--model", "shapes", "--top", "12", "--json", "shape.png")
    assert done.exit_code == 0, done.output
    best, *others = json.loads(done.stdout)[0]["predictions"]
    found = {one["class_id"]: one["class"] for one in (best, *others)}
    assert best["class_id"] == 2
    assert found == dict(enumerate(names if labelled else [f"class {n}" for n in range(12)]))


NAMES = {
    "scale-1:100:5 [red].png": "scale-1:100:5 [red].png",
    os.fsdecode(b"h\xf6se.png"): r"h\xf6se.png",
    "two\nlines \x1b[31m.png": r"two\nlines \x1b[31m.png",
    "ho\u0308se \u202f👖.png": "ho\u0308se \u202f👖.png",
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_of_a_file_is_shown_whole_on_its_line(name: str, call: Call) -> None:
    Path(name).write_bytes(picture_of(9))
    done = call("predict", "--save", "seen", name, "gone" + name)
    assert done.stdout.startswith(f"{NAMES[name]}: Ankle boot 9")
    assert done.stdout.count("\n") == 1
    assert f"error: gone{NAMES[name]}: No such file" in done.stderr
    assert f"What the network saw is in seen/{NAMES[name]}\n" in done.stderr
    assert Path("seen", name).is_file()
    assert call("predict", "--model", name, name).stderr.startswith(f"error: --model {NAMES[name]}")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_has_names_that_find_their_files_again(encoding: str, call: Call) -> None:
    for name in NAMES:
        Path(name).write_bytes(picture_of(9))
    done = fashion_mnist("predict", "--json", *NAMES, cwd=Path.cwd(), PYTHONIOENCODING=encoding)
    assert [photo["file"] for photo in json.loads(done.stdout)] == list(NAMES)
    done = fashion_mnist("predict", *NAMES, cwd=Path.cwd(), PYTHONIOENCODING=encoding)
    assert done.stdout.count(": Ankle boot 9") == len(NAMES)


def test_answers_are_printed_before_a_picture_that_cannot_be_saved(call: Call) -> None:
    Path("boot.png").write_bytes(picture_of(9))
    done = call("predict", "--json", "--save", "boot.png", "boot.png")
    assert done.exit_code == 1
    assert json.loads(done.stdout)[0]["predictions"][0]["class"] == "Ankle boot"
    assert "boot.png: file exists" in done.stderr


def test_without_a_model_the_line_says_how_to_get_one(call: Call) -> None:
    done = call("predict", "--root", "elsewhere", "boot.png")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "fashion-mnist run` trains one" in done.stderr
