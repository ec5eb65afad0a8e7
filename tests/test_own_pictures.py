"""Other data than FashionMNIST from their source to the registry, asked with a photo."""

import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from components.dataset.description import Description
from pipeline.runs.record import Run
from tests import own_pictures
from tests.browser import chromium, look
from tests.command import fashion_mnist, newest_run, versions


class Case(NamedTuple):
    """A data set, and so many examples of each class to train on and to test."""

    about: Description
    train: list[int]
    test: list[int]


def kinds(count: int) -> tuple[str, ...]:
    return tuple(f"kind {number}" for number in range(count))


SCALED = Description("Small grey", kinds(4), 12, 20, preparation="scaled")
SMALL = dataclasses.replace(SCALED, mirror_changes_class=True)
COLOURS = dataclasses.replace(SCALED, name="Colours", height=32, width=32, channels=3)
LETTERS = dataclasses.replace(SMALL, name="Letters", classes=kinds(47), height=28, width=28)
UNUSED = dataclasses.replace(SCALED, name="Unused", height=16, width=16)
CASES = {
    "4 classes at 12x20": Case(SMALL, [60] * 4, [15] * 4),
    "3 classes in colour": Case(dataclasses.replace(COLOURS, classes=kinds(3)), [60] * 3, [15] * 3),
    "47 classes": Case(dataclasses.replace(LETTERS, first_label=1), [12] * 47, [4] * 47),
    "an unused class": Case(UNUSED, [60, 60, 0, 60], [15, 15, 0, 15]),
    "a class of 3 examples": Case(
        dataclasses.replace(UNUSED, name="Rare", classes=kinds(3)), [80, 80, 2], [15, 15, 1]
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_data_set_needs_nothing_but_its_description(case: Case, tmp_path: Path) -> None:
    about, root = own_pictures.write(tmp_path / "source", *case), tmp_path / "root"
    training = ["batch_size=32", "filters=[16, 32]", "epochs=12", "min_accuracy=0.5"]
    values = [word for value in training for word in ("-p", value)]
    done = fashion_mnist(
        *("run", "--root", str(root), "--source", str(tmp_path / "source"), *values), cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = Run.read(newest_run(root))
    name = about.name.lower().replace(" ", "-")
    assert (run.version, run.model_name) == ("1", name)
    assert Description.read(root / "registry" / name / "1").classes == about.classes
    ask_about_a_photo(about, name, root, tmp_path)
    assert run.report
    assert about.name in run.report.read_text()
    with chromium() as browser:
        assert look(browser, run.report, width=900, height=900, scheme="light") == {}


def ask_about_a_photo(about: Description, name: str, root: Path, folder: Path) -> None:
    (pixels,) = own_pictures.pictures(about, np.array([1]), 7)
    Image.fromarray(pixels).save(folder / "photo.png")
    asked = ("predict", "--root", str(root), "--model", name, "--json", str(folder / "photo.png"))
    done = fashion_mnist(*asked, cwd=folder)
    assert done.returncode == 0, done.stderr
    (photo,) = json.loads(done.stdout)
    assert photo["predictions"][0]["class"] == about.classes[1]


def test_more_classes_than_can_be_are_refused_with_the_limit(tmp_path: Path) -> None:
    about = dataclasses.replace(SMALL, classes=kinds(256))
    about = own_pictures.write(tmp_path / "source", about, [1] * 256, [1] * 256)
    text = json.dumps({**about.as_dict(), "classes": kinds(300)})
    (tmp_path / "source" / "dataset.json").write_text(text)
    asked = ("run", "--root", str(tmp_path / "root"), "--source", str(tmp_path / "source"))
    done = fashion_mnist(*asked, cwd=tmp_path)
    assert done.returncode == 2
    assert "dataset.json has 300 classes, expected 2 to 256" in done.stderr
    assert versions(tmp_path / "root") == []


def test_folders_of_pictures_become_a_model_that_answers(tmp_path: Path) -> None:
    about = dataclasses.replace(COLOURS, classes=("boot", "sandal", "shoe"))
    labels = np.repeat(np.arange(3), 40)
    for number, pixels in enumerate(own_pictures.pictures(about, labels, 0)):
        folder = tmp_path / "photos" / about.classes[labels[number]]
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(pixels).resize((96, 96), Image.Resampling.NEAREST)
        picture.save(folder / f"{number}.jpg", quality=95)
    root = ("--root", "root")
    for command in (
        ("pack", "--size", "32", "--color", "photos", "shoes"),
        ("run", *root, "--source", "shoes", "-p", "min_accuracy=0.7", "-p", "train_steps=60"),
        ("predict", *root, "--model", "photos", "photos/sandal/45.jpg"),
    ):
        done = fashion_mnist(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("photos/sandal/45.jpg: sandal ")
