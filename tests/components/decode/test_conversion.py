import errno
import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kfp.dsl import Dataset
from numpy.typing import NDArray

from components.dataset import idx
from components.dataset.description import Description
from components.dataset.errors import BucketError, DataError, DiskError, ParameterError
from components.dataset.facts import FILES, SPLITS, TEST_IMAGES, TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.manifest import read_manifest
from components.dataset.records import read_records
from components.decode import conversion
from components.decode.component import decode
from components.decode.conversion import convert
from tests.fakes.storage import serve_storage
from tests.idx_files import (
    FASHION,
    header,
    images_payload,
    labels_payload,
    shuffled_labels,
    synthetic_images,
    write_idx_set,
    write_payloads,
)


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 200 training and 50 test examples."""
    directory = tmp_path_factory.mktemp("raw")
    write_idx_set(directory, 20, 5)
    return directory


def run(raw: Path | str, out: Path, **changes: int) -> dict[str, dict[str, Any]]:
    directories = {split: out / split for split in SPLITS}
    return convert(str(raw), directories, **{"shards": 3, "validation_examples": 20, **changes})


def examples(directory: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    batches = [
        batch
        for path in sorted(directory.glob("*.tfrecord"))
        for batch in read_records(path, FASHION)
    ]
    empty = (np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8))
    images, labels = zip(empty, *batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def as_set(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> set[tuple[bytes, int]]:
    return {(i.tobytes(), int(label)) for i, label in zip(images, labels, strict=True)}


def test_every_example_is_in_one_split_with_its_label(raw: Path, tmp_path: Path) -> None:
    summary = run(raw, tmp_path)
    labels, test_labels = shuffled_labels(20, 0), shuffled_labels(5, 1)
    train, validation, test = (examples(tmp_path / split) for split in SPLITS)
    assert [summary[split]["examples"] for split in SPLITS] == [180, 20, 50]
    assert (len(train[1]), len(validation[1])) == (180, 20)
    assert as_set(*train) | as_set(*validation) == as_set(synthetic_images(labels, 0), labels)
    assert np.bincount(validation[1]).tolist() == [2] * 10
    assert train[1].tolist() != labels[:180].tolist()
    np.testing.assert_array_equal(test[1], test_labels)
    np.testing.assert_array_equal(test[0], synthetic_images(test_labels, 1))
    sizes = {"train": [60, 60, 60], "validation": [7, 7, 6], "test": [17, 17, 16]}
    for split, expected in sizes.items():
        description, *files = read_manifest(tmp_path / split)["files"]
        assert description["name"] == "dataset.json"
        names = [f"{split}-0000{n}-of-00003.tfrecord" for n in range(3)]
        assert [entry["name"] for entry in files] == names
        assert [entry["bytes"] // 838 for entry in files] == expected


def test_the_same_input_and_parameters_give_the_same_bytes(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(raw, tmp_path / "other", seed=1)
    first = run(raw, tmp_path / "a")
    monkeypatch.setattr(conversion, "BATCH_BYTES", 13 * 838)
    assert run(raw, tmp_path / "b") == first
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "other")


def test_the_source_can_be_a_bucket(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        for path in raw.iterdir():
            fake.put(f"home/{path.name}", path.read_bytes())
        assert run("gs://bucket/home", tmp_path / "a") == run(raw, tmp_path / "b")
        del fake.objects[f"home/{TEST_IMAGES}.gz"]
        with pytest.raises(BucketError, match=f"{TEST_IMAGES}.gz is gone; .* --no-cache"):
            run("gs://bucket/home", tmp_path / "c")


def test_no_validation_examples_are_empty_shards(raw: Path, tmp_path: Path) -> None:
    summary = run(raw, tmp_path, shards=2, validation_examples=0)
    assert (summary["train"]["examples"], summary["validation"]["examples"]) == (200, 0)
    shards = sorted((tmp_path / "validation").glob("*.tfrecord"))
    assert [path.stat().st_size for path in shards] == [0, 0]
    read_manifest(tmp_path / "validation")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("shards", 0, "shards is 0, expected 1 to 99999"),
        ("shards", 100_000, "shards is 100000"),
        ("validation_examples", 200, "only 200 training examples"),
        ("validation_examples", -2, "validation_examples is -2"),
        ("seed", -1, "seed is -1"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    name: str, value: int, said: str, raw: Path, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match=said):
        run(raw, tmp_path, **{name: value})


IMAGES_AND_MORE = images_payload(synthetic_images(shuffled_labels(20))) + b"x"
TEST_IMAGES_AND_MORE = images_payload(synthetic_images(shuffled_labels(5))) + b"x"


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        (TRAIN_LABELS, labels_payload(shuffled_labels(19)), "200 .* expected 190 as in"),
        (TRAIN_LABELS, labels_payload(np.empty(0, np.uint8)), "has no examples"),
        (TRAIN_IMAGES, IMAGES_AND_MORE, "has trailing bytes"),
        (TEST_IMAGES, TEST_IMAGES_AND_MORE, "has trailing bytes"),
    ],
)
def test_a_damaged_file_is_named_and_leaves_no_split_that_looks_complete(
    name: str, payload: bytes, said: str, raw: Path, tmp_path: Path
) -> None:
    payloads = {path.stem: gzip.decompress(path.read_bytes()) for path in raw.glob("*.gz")}
    write_payloads(tmp_path / "raw", payloads | {name: payload})
    FASHION.write(tmp_path / "raw")
    with pytest.raises(DataError, match=said):
        run(tmp_path / "raw", tmp_path)
    assert not list(tmp_path.rglob("manifest.json"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    FASHION.write(tmp_path)
    with pytest.raises(DataError, match=f"has no {TRAIN_LABELS}.gz; run ingest first"):
        run(tmp_path, tmp_path / "out")


def test_a_full_disk_is_one_clear_error(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(conversion, "write_manifest", full)
    with pytest.raises(DiskError, match=f"the disk is full at .*{tmp_path}"):
        run(raw, tmp_path)


def test_memory_grows_by_sixteen_bytes_an_example_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "BATCH_BYTES", 1024 * 838)
    monkeypatch.setattr(idx, "CHUNK_BYTES", 1024 * 784)
    peaks = []
    for count in (1000, 3000):
        write_idx_set(tmp_path / f"{count}", count, 10)
        tracemalloc.start()
        run(tmp_path / f"{count}", tmp_path / f"out-{count}", validation_examples=1000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 16_000_000
    assert peaks[1] - peaks[0] <= 16 * 20_000 + 100_000


def test_the_component_writes_three_splits_and_their_metadata(tmp_path: Path) -> None:
    write_idx_set(tmp_path / "raw", 20, 5)
    outputs = {
        name: Dataset(uri=str(tmp_path / name))
        for name in ("train_records", "validation_records", "test_records")
    }
    decode.python_func(
        raw=Dataset(uri=str(tmp_path / "raw")), shards=2, validation_examples=20, **outputs
    )
    assert [output.metadata["examples"] for output in outputs.values()] == [180, 20, 50]
    for name, output in outputs.items():
        assert len(list(Path(output.path).glob("*.tfrecord"))) == output.metadata["shards"] == 2
        assert (tmp_path / name / "manifest.json").exists()


def test_the_records_carry_the_description_with_counts_and_the_training_pixels_figures(
    tmp_path: Path,
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 12, 20, 3), np.uint8)
    labels = np.array([*[1] * 12, *[2] * 12], np.int32)
    payload = struct.pack(">5I", 0x00000804, 24, 20, 12, 3) + images.swapaxes(1, 2).tobytes()
    numbers = header(0x00000C01, 24) + labels.astype(">i4").tobytes()
    write_payloads(tmp_path / "raw", dict(zip(FILES, [payload, numbers] * 2, strict=True)))
    raw = Description("pictures", ("b", "c"), 12, 20, 3, first_label=1, transposed=True)
    raw.write(tmp_path / "raw")
    run(tmp_path / "raw", tmp_path, validation_examples=-1)
    for split in SPLITS:
        about = Description.read(tmp_path / split)
        assert (about.first_label, about.transposed) == (0, False)
        assert about.counts == {"train": (11, 11), "validation": (1, 1), "test": (12, 12)}
        np.testing.assert_allclose(about.mean, images.mean(axis=(0, 1, 2)))
        np.testing.assert_allclose(about.deviation, images.std(axis=(0, 1, 2)))
    shards = sorted((tmp_path / "test").glob("*.tfrecord"))
    read = np.concatenate([batch for path in shards for batch, _ in read_records(path, about)])
    np.testing.assert_array_equal(read, images)
