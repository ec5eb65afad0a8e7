"""One run on the real FashionMNIST, with few steps, and photographs shown to its model."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.dataset.facts import IMAGE_HEIGHT, IMAGE_WIDTH
from components.ingest.fashion_mnist import DIGESTS, find_raw
from tests.command import fashion_mnist, summary, versions
from tests.photographs import PHOTOGRAPHS, Pixels, encoded

IMAGES = 12
"""Of each kind of photograph."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root in which a run has uploaded a model."""
    path = tmp_path_factory.mktemp("real")
    done = fashion_mnist(
        *("run", "--root", "root", "-p", "train_steps=80", "-p", "min_accuracy=0.5"),
        *("-p", "filters=[16, 32]"),
        cwd=path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return path / "root"


@pytest.mark.real_data
def test_the_real_data_goes_from_its_source_to_the_registry(root: Path) -> None:
    assert versions(root) == ["1"]
    steps = {step["name"]: step for step in summary(root)["steps"]}
    raw = steps["ingest"]["outputs"]["raw"]["metadata"]
    assert raw["digests"] == DIGESTS
    assert raw["verified"] is True
    assert steps["decode"]["figure"] == "55,000 + 5,000 + 10,000 records"
    assert summary(root)["metrics"]["accuracy"] > 0.5


@pytest.mark.real_data
def test_photographs_are_mostly_taken_for_what_they_were_made_of(
    root: Path, tmp_path: Path
) -> None:
    images = some_test_images()
    originals = [encoded(Image.fromarray(image)) for image in images]
    files = {"original": originals}
    files |= {kind: [make(image) for image in images] for kind, make in PHOTOGRAPHS.items()}
    told = predicted(root, [data for group in files.values() for data in group], tmp_path)
    groups = dict(zip(files, np.array_split(told, len(files)), strict=True))
    expected = groups.pop("original")
    agree = {kind: float((expected == found).mean()) for kind, found in groups.items()}
    assert agree["as it is"] == 1
    assert np.mean(list(agree.values())) > 0.85, agree
    assert min(agree.values()) > 0.6, agree


def some_test_images() -> Pixels:
    file = find_raw() / "t10k-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=16)
    return pixels.reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH)[:IMAGES]


def predicted(root: Path, photographs: list[bytes], folder: Path) -> list[str]:
    """The likeliest class of each photograph."""
    names = [f"{number:04}" for number in range(len(photographs))]
    for name, data in zip(names, photographs, strict=True):
        (folder / name).write_bytes(data)
    done = fashion_mnist("predict", "--root", str(root), "--json", *names, cwd=folder)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["file"] for answer in answers] == names
    return [str(answer["predictions"][0]["class"]) for answer in answers]
