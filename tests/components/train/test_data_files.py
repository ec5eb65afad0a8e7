import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from components.dataset.errors import DataError
from components.dataset.facts import SPLITS
from components.decode.conversion import convert
from components.ingest import fashion_mnist
from components.train.trainer import data_files
from components.train.trainer.splits import Split, read_examples
from tests.fakes.storage import serve_storage
from tests.idx_files import header, labels_payload, write_idx_set

from .conftest import GLYPHS, make_examples


@pytest.fixture(scope="module")
def raw_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("raw") / "files"
    write_idx_set(directory, 20, 4)
    return directory


def test_the_digest_of_files_depends_on_their_bytes(train: Split, tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(train.files[0].read_bytes())
    train.description.write(tmp_path)
    same = data_files.matching([str(tmp_path / "*.tfrecord")], tmp_path)
    assert same.digest == data_files.matching([str(train.files[0])], tmp_path).digest
    assert same.digest != data_files.matching([str(train.files[1])], tmp_path).digest
    GLYPHS.write(tmp_path)
    assert same.digest != data_files.matching([str(tmp_path / "*.tfrecord")], tmp_path).digest


def test_files_count_once_in_one_order_however_they_are_given(train: Split, tmp_path: Path) -> None:
    first, second = map(str, train.files)
    both = data_files.matching([f"{train.files[0].parent}/*.tfrecord"], tmp_path)
    folder = train.files[0].parent
    assert (folder / "manifest.json").is_file()
    for globs in ([second, first], [first, f"{folder}/*.tfrecord"], [f"{folder}/*"]):
        assert data_files.matching(globs, tmp_path) == both
    with pytest.raises(DataError, match="no file matches 'nowhere'"):
        data_files.matching([first, "nowhere"], tmp_path)


def test_raw_files_are_paired_in_their_folders_and_decoded(
    raw_directory: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_idx_set(other, 1, 1)
    images, labels = f"file://{other}/*-images-*", f"{other}/*-labels-*"
    split = data_files.matching([f"{raw_directory}/*-ubyte*", images, labels], tmp_path)
    examples = read_examples(split)
    assert examples.images.shape == (260, 28, 28)
    assert np.bincount(examples.labels).tolist() == [26] * 10


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
    ],
)
def test_raw_files_are_read_as_the_description_in_their_folder_says(
    images: str, labels: str, tmp_path: Path
) -> None:
    pixels, classes = make_examples(8, description=GLYPHS)
    turned = pixels.swapaxes(1, 2)
    (tmp_path / images).write_bytes(header(0x803, 8, 20, 12) + turned.tobytes())
    (tmp_path / labels).write_bytes(labels_payload((classes + 1).astype(np.uint8)))
    dataclasses.replace(GLYPHS, first_label=1, transposed=True).write(tmp_path)
    split = data_files.matching([f"{tmp_path}/*"], tmp_path)
    assert split.description == GLYPHS
    np.testing.assert_array_equal(read_examples(split).images, pixels)
    np.testing.assert_array_equal(read_examples(split).labels, classes)
    assert split.measured().mean == pytest.approx([pixels.mean()])
    assert split.measured().deviation == pytest.approx([pixels.std()])


def test_files_that_nothing_describes_are_refused(train: Split, tmp_path: Path) -> None:
    shutil.copy(train.files[0], tmp_path / "a.tfrecord")
    with pytest.raises(DataError, match=r"a.tfrecord' have no dataset.json in their folder"):
        data_files.matching([f"{tmp_path}/a.tfrecord"], tmp_path)
    pixels, classes = make_examples(8, description=GLYPHS)
    (tmp_path / "images-idx3-ubyte").write_bytes(header(0x803, 8, 12, 20) + pixels.tobytes())
    (tmp_path / "labels-idx1-ubyte").write_bytes(labels_payload(classes.astype(np.uint8)))
    with pytest.raises(DataError, match=r"images of 12x20 .*, expected 28x28 as in FashionMNIST"):
        data_files.matching([f"{tmp_path}/*-ubyte"], tmp_path)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("nowhere/*.tfrecord", "no file matches"),
        ("train-images*", "train-images-idx3-ubyte.gz are not pairs"),
        ("*", "notes.txt"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    pattern: str, reason: str, raw_directory: Path, tmp_path: Path
) -> None:
    for path in raw_directory.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=reason):
        data_files.matching([f"{tmp_path}/{pattern}"], tmp_path)


def test_the_official_files_are_split_as_the_step_decode_splits_them(
    raw_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_DIRECTORY", str(raw_directory))
    directories = {split: tmp_path / split for split in SPLITS}
    convert(str(raw_directory), directories, shards=1, seed=3)
    for split, own in zip(("train", "validation"), data_files.official(3, tmp_path), strict=True):
        records = read_examples(Split.of_directory(directories[split]))
        for found, expected in zip(read_examples(own), records, strict=True):
            np.testing.assert_array_equal(found, expected)
        decoded = Split.of_directory(directories[split]).description
        assert (own.description.mean, own.description.deviation) == (
            decoded.mean,
            decoded.deviation,
        )


def test_a_pattern_means_the_same_in_a_bucket_and_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        for name in ("a/1", "a/2", "a/b/3", "ab/4", "a/../5"):
            fake.put(name, name.encode())
        for name in ("a/1", "a/2", "a/b/3"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            GLYPHS.write(path.parent)
            fake.put(f"{Path(name).parent}/dataset.json", GLYPHS.text().encode())
        patterns = {"*": "1 2", "?": "1 2", "[2x]": "2", "b/*": "3", "b/3": "3"}
        for pattern, found in patterns.items():
            there = data_files.matching([f"gs://bucket/a/{pattern}"], tmp_path)
            here = data_files.matching([f"{tmp_path}/a/{pattern}"], tmp_path)
            assert " ".join(path.name for path in here.files) == found
            assert there.digest == here.digest
            assert there.description == here.description == GLYPHS
