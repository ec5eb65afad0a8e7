"""Folders of pictures as the data set that is made of them."""

import dataclasses
import gzip
import hashlib
import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from components.dataset.description import Description
from components.dataset.facts import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.idx import IMAGES, LABELS, Kind, read_all
from components.dataset.raw import open_raw
from components.ingest.fashion_mnist import find_raw
from pipeline.errors import CommandError
from pipeline.packing.folder import find
from pipeline.packing.pack import Packed, pack
from serving.labels import NOTHING
from tests.command import fashion_mnist
from tests.idx_files import FASHION
from tests.photographs import encoded
from tests.pipeline.packing.folders import noise, picture_folder, save
from tests.soak import SECONDS

ABOUT = Description("own", ("a", "b"), 28, 28, preparation="scaled")
COLOUR = {"channels": 3}
SPLITS = {"train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}


def packed(folder: Path, out: Path, *, share: float = 0.2, seed: int = 0, **entries: Any) -> Packed:
    found = find(folder)
    about = dataclasses.replace(ABOUT, classes=found.classes, **entries)
    return pack(folder, found, out, about, share=share, seed=seed, seen=lambda: None)


def read(out: Path, name: str, kind: Kind) -> NDArray[np.uint8]:
    about = FASHION if out == find_raw() else Description.read(out)
    with open_raw(str(out), name) as stream:
        return read_all(stream, name, kind, about)


def examples(out: Path, split: str) -> list[tuple[int, bytes]]:
    """The labels and pixels of a split, sorted."""
    images, labels = SPLITS[split]
    pixels = [image.tobytes() for image in read(out, images, IMAGES)]
    return sorted(zip(read(out, labels, LABELS).tolist(), pixels, strict=True))


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.parametrize(("shape", "entries"), [((28, 28), {}), ((12, 20, 3), COLOUR)])
def test_pictures_of_the_datas_form_are_unchanged_and_have_their_labels(
    shape: tuple[int, ...], entries: dict[str, int], tmp_path: Path
) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 10, "b": 5}, shape)
    known = {
        np.asarray(Image.open(path)).tobytes(): "ab".index(path.parent.name)
        for path in folder.rglob("*.png")
    }
    result = packed(folder, tmp_path / "out", height=shape[0], width=shape[1], **entries)
    assert result.counts == {"train": [8, 4], "test": [2, 1]}
    for images, labels in SPLITS.values():
        pictures = read(tmp_path / "out", images, IMAGES)
        assert pictures.shape[1:] == shape
        for picture, label in zip(pictures, read(tmp_path / "out", labels, LABELS), strict=True):
            assert known.pop(picture.tobytes()) == label
    assert not known


def test_the_description_has_the_digests_of_the_payloads(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 4, "b": 4})
    result = packed(folder, tmp_path / "out", mirror_changes_class=True)
    about = Description.read(tmp_path / "out")
    assert about == result.description
    assert (about.classes, about.preparation, about.mirror_changes_class) == (
        ("a", "b"),
        "scaled",
        True,
    )
    for name in FILES:
        with open_raw(str(tmp_path / "out"), name) as stream:
            data = stream.read()
        assert data[3:8] == bytes(5), "a name or a time would differ from run to run"
        payload = gzip.decompress(data)
        assert hashlib.sha256(payload).hexdigest() == about.digests[name]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Packed, Path]:
    """The real data, packed from PNG files: what came of it, and where it is."""
    folder = tmp_path_factory.mktemp("real")
    for split in SPLITS:
        for number, (label, pixels) in enumerate(examples(find_raw(), split)):
            image = np.frombuffer(pixels, np.uint8).reshape(28, 28)
            save(folder / "photos" / split / str(label) / f"{number}.png", image)
    return packed(folder / "photos", folder / "out"), folder / "out"


@pytest.mark.real_data
def test_the_real_data_as_png_files_is_packed_to_the_official_examples(
    real: tuple[Packed, Path],
) -> None:
    result, out = real
    assert result.counts == {"train": [6000] * 10, "test": [1000] * 10}
    for split in SPLITS:
        assert examples(out, split) == examples(find_raw(), split)


@pytest.mark.soak
@pytest.mark.real_data
@pytest.mark.timeout(SECONDS)
def test_a_model_of_the_packed_data_is_as_good_as_one_of_the_official_files(
    real: tuple[Packed, Path], tmp_path: Path
) -> None:
    def accuracy(*options: str) -> float:
        root = str(tmp_path / f"root{len(options)}")
        done = fashion_mnist(
            *("run", "--root", root, "--preset", "fast", "--json", *options), cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        found: float = json.loads(done.stdout)["metrics"]["accuracy"]
        return found

    official, own = accuracy(), accuracy("--source", str(real[1]))
    assert own == pytest.approx(official, abs=0.01), (own, official)


def test_equal_pictures_give_equal_bytes_whatever_their_names_and_order(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 9, "b": 9})
    packed(folder, tmp_path / "out")
    other = tmp_path / "others"
    for number, path in enumerate(sorted(folder.rglob("*.png"), reverse=True)):
        target = other / path.parent.name / f"{number % 3}" / f"x{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    packed(other, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "out")
    packed(other, tmp_path / "again", seed=1)
    assert contents(tmp_path / "again") != contents(tmp_path / "out")


def test_a_result_is_replaced_completely(tmp_path: Path) -> None:
    packed(picture_folder(tmp_path / "photos", {"a": 9, "b": 9}), tmp_path / "out")
    packed(picture_folder(tmp_path / "fewer", {"c": 2, "d": 2}), tmp_path / "out", **COLOUR)
    packed(tmp_path / "fewer", tmp_path / "new", **COLOUR)
    assert contents(tmp_path / "out") == contents(tmp_path / "new")
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "fewer", "out", "new"}


def test_equal_pictures_are_in_one_split_and_in_two_classes_they_are_named(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 6, "b": 6})
    for number in range(6):
        save(folder / "a" / f"copy-{number}.webp.png", noise(number + 1))
    shutil.copy(folder / "a/0.png", folder / "b/same.png")
    result = packed(folder, tmp_path / "out", share=0.5)
    test = {image.tobytes() for image in read(tmp_path / "out", TEST_IMAGES, IMAGES)}
    train = {image.tobytes() for image in read(tmp_path / "out", TRAIN_IMAGES, IMAGES)}
    assert test.isdisjoint(train)
    assert result.between_classes == [("a/0.png", "b/same.png")]
    assert result.between_splits == []


def test_given_splits_are_kept_and_equal_pictures_between_them_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    picture_folder(folder / "train", {"a": 3, "b": 3})
    picture_folder(folder / "test", {"a": 2}, seed=9)
    save(folder / "test/a/same.png", noise(2))
    result = packed(folder, tmp_path / "out")
    assert result.counts == {"train": [3, 3], "test": [3, 0]}
    assert result.between_splits == [("test/a/same.png", "train/a/1.png")]


def test_pictures_that_cannot_be_used_are_named_and_the_others_are_kept(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 40, "b": 2})
    (folder / "a/20.png").write_text("no picture")
    (folder / "a/30.jpg").write_bytes(encoded(Image.fromarray(noise(0, (90, 90))), "JPEG")[:2000])
    (folder / "b/gone.jpg").symlink_to("nowhere")
    result = packed(folder, tmp_path / "out")
    assert {picture.file: reason for picture, reason in result.refused} == {
        "a/20.png": "it is not an image; save it as PNG or JPEG",
        "a/30.jpg": "it is a damaged image; save it again as PNG or JPEG",
        "b/gone.jpg": "No such file or directory",
    }
    assert result.counts == {"train": [31, 1], "test": [8, 1]}


def test_pictures_without_a_subject_are_left_out_where_it_is_cut_out(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 3, "b": 3})
    save(folder / "a/plain.png", np.full((60, 60, 3), 200, np.uint8))
    result = packed(folder, tmp_path / "out", preparation="subject")
    (refused,) = result.refused
    assert refused[0].file == "a/plain.png"
    assert refused[1] == NOTHING
    assert packed(folder, tmp_path / "out").refused == []


def test_a_class_of_which_nothing_can_be_used_is_one_line(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "photos", {"a": 3, "b": 3})
    (folder / "a/1.png").write_text("")
    for path in (folder / "b").iterdir():
        path.write_text("no picture")
    with pytest.raises(CommandError) as raised:
        packed(folder, tmp_path / "out")
    assert str(raised.value) == (
        f"{folder}: no training picture of b can be used; "
        "b/0.png: it is not an image; save it as PNG or JPEG"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_memory_does_not_grow_with_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.packing.pixels.CORES", 2)
    # Python asks for so much memory where a file may have so many bytes.
    monkeypatch.setattr("pipeline.photos.predictions.MAX_BYTES", 1 << 16)
    for number in range(400):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        save(path, np.full((256, 256, 3), (number % 256, number // 256, 0), np.uint8))
    packed(tmp_path / "photos", tmp_path / "first", height=256, width=256)
    tracemalloc.start()
    packed(tmp_path / "photos", tmp_path / "out", height=256, width=256, **COLOUR)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 400 * 256 * 256 * 3 / 4
