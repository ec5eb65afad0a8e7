"""One run on the real FashionMNIST, with few steps, and photographs shown to its model."""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from components.dataset.manifest import file_digest
from components.ingest.fashion_mnist import DESCRIPTION, DIGESTS, find_raw
from pipeline.runs.record import Run
from tests.command import fashion_mnist, newest_run, versions
from tests.light_steps import light_spec
from tests.photographs import BACKGROUNDS, PHOTOGRAPHS, Pixels, encoded
from tests.serving.conftest import serving
from tests.small_project import Project

RECORDS = {
    "train_records": "f7411267ffb590d26b951bb59e9067c9c3b62a857193de1ca750238b7674f40e",
    "validation_records": "ece16e7865f8cb5762b042220c5ba2101c5011eb7792770787bc6b919019df3e",
    "test_records": "96aeed60dd950bfd7f8a1020864066403859d36320d486eb5a9dfe5f7cef78fc",
}
"""SHA-256 of what `sha256sum *.tfrecord` prints for the default shards and seed."""
IMAGES = 5
"""Of each kind of photograph."""
PHOTOS = 200
"""Of each kind, in the long form."""


@pytest.fixture(scope="module")
def root(light: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root in which a run has uploaded a model; its training is real."""
    path = tmp_path_factory.mktemp("real")
    spec = light_spec(swapped=("evaluate",))
    values = ["train_steps=80", "filters=[16, 32]"]
    light.run_light(path, "source=", "validation_examples=-1", "shards=8", *values, spec=spec)
    return path


@pytest.mark.real_data
def test_the_real_data_goes_from_its_source_to_the_registry(root: Path) -> None:
    assert versions(root) == ["1"]
    run = Run.read(newest_run(root))
    raw = run["ingest"]["raw"].metadata
    assert raw["digests"] == DIGESTS
    assert raw["verified"] is True
    assert run.steps["decode"].figure == "55,000 + 5,000 + 10,000 records"
    assert run["train"]["model"].metadata["validation_accuracy"] > 0.5


@pytest.mark.real_data
def test_the_records_of_the_official_files_are_always_the_same_bytes(root: Path) -> None:
    run = Run.read(newest_run(root))
    found = {}
    for split in RECORDS:
        shards = sorted(Path(run["decode"][split].uri).glob("*.tfrecord"))
        digests = "".join(f"{file_digest(path)}  {path.name}\n" for path in shards)
        found[split] = hashlib.sha256(digests.encode()).hexdigest()
    assert found == RECORDS


@pytest.mark.real_data
def test_every_way_of_asking_gives_the_same_class(root: Path, tmp_path: Path) -> None:
    images = some_test_images()
    originals = predicted(root, [encoded(Image.fromarray(image)) for image in images], tmp_path)
    told = asked_every_way(root, images, tmp_path)
    agree = {kind: np.mean(classes == originals) for kind, classes in told.items()}
    assert np.mean(list(agree.values())) > 0.85, agree


@pytest.mark.soak
@pytest.mark.real_data
def test_the_default_model_is_right_on_every_kind_of_photo(tmp_path: Path) -> None:
    root = tmp_path / "root"
    done = fashion_mnist("run", "--root", str(root), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    labels = (find_raw() / "t10k-labels-idx1-ubyte.gz").read_bytes()
    names = [DESCRIPTION.classes[label] for label in gzip.decompress(labels)[8 : 8 + PHOTOS]]
    told = asked_every_way(root, some_test_images(PHOTOS), tmp_path)
    right = {kind: np.mean(classes == names) for kind, classes in told.items()}
    assert min(right.values()) >= 0.91, right


def asked_every_way(root: Path, images: Pixels, folder: Path) -> dict[str, NDArray[Any]]:
    """The classes that ``predict``, the SavedModel and the server agree on, by kind of photo."""
    photos = [make(image) for make in BACKGROUNDS.values() for image in images]
    (model,) = root.glob("registry/*/1")
    told = predicted(root, photos, folder)
    assert [text.decode() for text in answers_of(model, photos)] == told
    with serving(folder, model) as server:
        server.wait_until_ready()
        for first in range(0, len(photos), len(images)):
            part = slice(first, first + len(images))
            encodings = [base64.b64encode(photo).decode() for photo in photos[part]]
            instances = [{"image_bytes": {"b64": text}} for text in encodings]
            answers = server.ask({"instances": instances}).json()["predictions"]
            assert [answer["label"] for answer in answers] == told[part]
    return dict(zip(BACKGROUNDS, np.array(told).reshape(len(BACKGROUNDS), -1), strict=True))


def answers_of(model: Path, photos: list[bytes]) -> list[bytes]:
    loaded = tf.saved_model.load(str(model))
    answer = loaded.signatures["serving_bytes"](image_bytes=tf.constant(photos))
    labels: list[bytes] = answer["label"].numpy().tolist()
    return labels


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


def some_test_images(count: int = IMAGES) -> Pixels:
    file = find_raw() / "t10k-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=16)
    return pixels.reshape(-1, *DESCRIPTION.shape)[:count]


def predicted(root: Path, photographs: list[bytes], folder: Path) -> list[str]:
    names = [f"{number:04}" for number in range(len(photographs))]
    for name, data in zip(names, photographs, strict=True):
        (folder / name).write_bytes(data)
    done = fashion_mnist("predict", "--root", str(root), "--json", *names, cwd=folder)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["file"] for answer in answers] == names
    return [str(answer["predictions"][0]["class"]) for answer in answers]
