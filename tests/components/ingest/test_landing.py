import dataclasses
import gzip
import hashlib
import json
import logging
from pathlib import Path

import pytest
from kfp.dsl import Artifact, Dataset

from components.dataset import folder
from components.dataset.description import NAME, Description, DescriptionError
from components.dataset.errors import BucketError, DataError, SourceError
from components.dataset.facts import FILES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from components.decode.component import decode
from components.ingest import fashion_mnist
from components.ingest.component import ingest
from components.ingest.landing import Landed, land, raw_directory
from pipeline.local import emulator
from tests.fakes.mirror import FakeMirror, answer, serve_mirror
from tests.fakes.storage import FakeBucket
from tests.idx_files import (
    described,
    header,
    labels_payload,
    payload_digests,
    shuffled_labels,
    write_idx_set,
    write_payloads,
)


def land_from(mirror: FakeMirror, digests: dict[str, str]) -> Landed:
    return land("gs://bucket/home", mirror.url, described(digests).as_dict(), False)


def place_of(home: str, digests: dict[str, str]) -> str:
    return raw_directory(home, dataclasses.replace(described(digests), verified=True))


def test_the_files_and_their_description_are_below_the_digest_of_that(
    fake: FakeBucket, mirror: FakeMirror, files: dict[str, bytes], digests: dict[str, str]
) -> None:
    landed = land_from(mirror, digests)
    text = dataclasses.replace(described(digests), verified=True).text().encode()
    home = f"home/raw/{hashlib.sha256(text).hexdigest()[:16]}"
    assert landed.uri == f"gs://bucket/{home}"
    assert fake.objects == {f"{home}/{name}": body for name, body in [*files.items(), (NAME, text)]}
    assert landed.metadata == {
        "name": "FashionMNIST",
        "classes": 10,
        "image": "28x28",
        "digests": digests,
        "examples": {"train": 60, "test": 20},
        "verified": True,
    }
    entry = landed.report["files"][TRAIN_IMAGES]
    assert (entry["source"], entry["bytes"]) == (mirror.url, len(files[f"{TRAIN_IMAGES}.gz"]))
    assert entry["state"] == "uploaded"


def test_a_second_ingest_downloads_only_what_is_missing_and_says_so(
    fake: FakeBucket,
    mirror: FakeMirror,
    digests: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = land_from(mirror, digests)
    mirror.requests.clear()
    caplog.set_level(logging.INFO, logger="components")
    second = land_from(mirror, digests)
    assert (mirror.requests, fake.downloads) == ([f"/{TEST_LABELS}.gz"], [])
    assert len(fake.committed) == 5
    assert (second.uri, second.metadata) == (first.uri, first.metadata)
    assert {entry["state"] for entry in second.report["files"].values()} == {"already there"}
    assert (
        "verified by SHA-256: 1 of 4 files downloaded, 0 written" in caplog.records[-1].getMessage()
    )
    mirror.requests.clear()
    del fake.objects[f"{first.uri.removeprefix('gs://bucket/')}/{TRAIN_LABELS}.gz"]
    land_from(mirror, digests)
    assert mirror.requests == [f"/{TRAIN_LABELS}.gz", f"/{TEST_LABELS}.gz"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (gzip.compress(labels_payload(shuffled_labels(2))), "another dataset under the same name"),
        (b"<html>", "is not the IDX file it should be"),
    ],
    ids=["another dataset", "a page"],
)
def test_a_source_that_is_named_must_have_the_data_even_if_the_bucket_has_them(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str], body: bytes, said: str
) -> None:
    land_from(mirror, digests)
    mirror.speeches[f"{TEST_LABELS}.gz"] = [[answer(body)]]
    with pytest.raises(SourceError, match=said):
        land_from(mirror, digests)
    assert len(fake.committed) == 5


def test_nothing_appears_when_one_file_is_not_what_it_should_be(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str]
) -> None:
    mirror.speeches[f"{TEST_LABELS}.gz"] = [[answer(b"<html>")]]
    with pytest.raises(SourceError, match=TEST_LABELS):
        land_from(mirror, digests)
    assert fake.objects == {}


def test_an_object_that_is_something_else_is_an_error_and_stays(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str]
) -> None:
    name = f"{place_of('home', digests)}/{TRAIN_LABELS}.gz"
    fake.put(name, b"other")
    with pytest.raises(BucketError, match=f"gs://bucket/{name} is already there with other bytes"):
        land_from(mirror, digests)
    assert fake.objects[name] == b"other"


def test_a_faster_ingest_from_another_mirror_is_no_conflict(
    fake: FakeBucket, mirror: FakeMirror, payloads: dict[str, bytes], digests: dict[str, str]
) -> None:
    def faster(operation: str, moment: str) -> None:
        if (operation, moment) == ("insert", "before") and not fake.objects:
            for name, payload in payloads.items():
                place = f"{place_of('home', digests)}/{name}.gz"
                note = {"payload-sha256": digests[name], "examples": "1"}
                fake.put(place, gzip.compress(payload, 1), note)

    fake.watch = faster
    report = land_from(mirror, digests).report
    assert len(fake.committed) == 1
    assert {entry["state"] for entry in report["files"].values()} == {"already there"}


def test_another_dataset_lands_unverified_only_when_that_is_allowed(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str]
) -> None:
    with pytest.raises(SourceError, match="another dataset under the same name"):
        land("gs://bucket", mirror.url, {}, allow_unverified=False)
    landed = land("gs://bucket", mirror.url, {}, allow_unverified=True)
    assert landed.metadata["verified"] is False
    assert landed.metadata["digests"] == digests
    again = land("gs://bucket", mirror.url, {}, allow_unverified=True)
    assert (again.metadata, len(fake.committed)) == (landed.metadata, 5)


def test_images_and_labels_that_differ_in_number_do_not_land(
    fake: FakeBucket, payloads: dict[str, bytes], tmp_path: Path
) -> None:
    odd = payloads | {TRAIN_LABELS: labels_payload(shuffled_labels(5))}
    write_payloads(tmp_path / "odd", odd)
    with pytest.raises(DataError, match=f"{TRAIN_IMAGES} has 60 examples, .* has 50"):
        land("gs://bucket", str(tmp_path / "odd"), described(payload_digests(odd)).as_dict(), False)
    assert fake.objects == {}


def test_a_missing_bucket_is_found_before_anything_is_downloaded(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str]
) -> None:
    with pytest.raises(BucketError, match="bucket gs://elsewhere does not exist"):
        land("gs://elsewhere", mirror.url, described(digests).as_dict(), False)
    assert mirror.requests == []


def test_without_digests_nothing_lands_unless_that_is_allowed(
    fake: FakeBucket, tmp_path: Path
) -> None:
    write_idx_set(tmp_path, 6, 2)
    own = dataclasses.replace(described({}), name="clothes", counts={"train": (1,) * 10})
    said = "has no digests, so the files of clothes cannot be verified; .* allow_unverified=true"
    with pytest.raises(DescriptionError, match=f"^dataset {said}"):
        land("gs://bucket", str(tmp_path), own.as_dict(), False)
    own.write(tmp_path)
    with pytest.raises(DescriptionError, match=f"^{tmp_path}/dataset.json {said}"):
        land("gs://bucket", str(tmp_path), {}, False)
    landed = land("gs://bucket", str(tmp_path), {}, allow_unverified=True)
    text = fake.objects[f"{landed.uri.removeprefix('gs://bucket/')}/{NAME}"]
    about = Description.parse(text, NAME)
    assert (about.name, about.verified, about.counts) == ("clothes", False, {})
    assert about.digests == landed.metadata["digests"]


def test_a_description_that_is_there_is_never_taken_for_none(
    fake: FakeBucket, files: dict[str, bytes], tmp_path: Path
) -> None:
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    (tmp_path / NAME).write_text("")
    with pytest.raises(DescriptionError, match=r"dataset.json is not JSON"):
        land("gs://bucket", str(tmp_path), {}, allow_unverified=True)
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    with pytest.raises(SourceError, match=r"dataset.json cannot be read \(Is a directory\)"):
        land("gs://bucket", str(tmp_path), {}, allow_unverified=True)
    with serve_mirror(files) as mirror:
        mirror.speeches[f"{NAME}.gz"] = [[answer(b"", status="503 Busy")]]
        with pytest.raises(SourceError, match="HTTP 503"):
            land("gs://bucket", mirror.url, {}, allow_unverified=True)
    assert fake.objects == {}


def test_the_description_beside_the_files_verifies_them_wherever_they_are(
    fake: FakeBucket, files: dict[str, bytes], digests: dict[str, str], tmp_path: Path
) -> None:
    text = described(digests).text().encode()
    for name, body in {**files, NAME: text}.items():
        fake.put(f"own/{name}", body)
        (tmp_path / name).write_bytes(body)
    with serve_mirror({**files, NAME: text}) as mirror:
        sources = ["gs://bucket/own", str(tmp_path), mirror.url]
        landed = [land("gs://bucket/home", source, {}, False) for source in sources]
    assert all(each.metadata == landed[0].metadata for each in landed)
    assert landed[0].metadata["verified"] is True


@pytest.mark.parametrize(
    ("labels", "classes", "first"),
    [([0, 4], "01234", 0), ([1, 3], "123", 1), ([5, 8], "012345678"[1:], 1)],
)
def test_what_nothing_describes_is_described_by_the_files(
    fake: FakeBucket, tmp_path: Path, labels: list[int], classes: str, first: int
) -> None:
    images = header(0x00000804, 2, 12, 20, 3) + bytes(2 * 720)
    numbers = header(0x00000C01, 2, *labels)
    write_payloads(tmp_path / "own", dict(zip(FILES, [images, numbers] * 2, strict=True)))
    landed = land("gs://bucket", str(tmp_path / "own"), {}, allow_unverified=True)
    text = fake.objects[f"{landed.uri.removeprefix('gs://bucket/')}/{NAME}"]
    about = Description.parse(text, NAME)
    assert (about.name, about.form, about.classes) == ("own", "12x20 in colour", tuple(classes))
    assert (about.first_label, about.mirror_changes_class) == (first, True)


def test_more_classes_than_can_be_are_refused_with_the_limit(
    fake: FakeBucket, tmp_path: Path
) -> None:
    images = header(0x00000803, 2, 28, 28) + bytes(2 * 784)
    numbers = header(0x00000B01, 2) + b"\0\0\1\x2b"
    write_payloads(tmp_path, dict(zip(FILES, [images, numbers] * 2, strict=True)))
    with pytest.raises(DescriptionError, match=r"dataset has .* classes, expected 2 to 256"):
        land("gs://bucket", str(tmp_path), {}, allow_unverified=True)
    assert fake.objects == {}


def test_labels_without_a_class_do_not_land(
    fake: FakeBucket, payloads: dict[str, bytes], tmp_path: Path
) -> None:
    write_payloads(tmp_path, payloads)
    few = dataclasses.replace(described({}), classes=("a", "b", "c"))
    with pytest.raises(
        SourceError, match=r"has labels from 0 to 9, and FashionMNIST has 3 classes"
    ):
        land("gs://bucket", str(tmp_path), few.as_dict(), allow_unverified=True)
    assert fake.objects == {}


def test_files_that_are_fashion_mnists_are_described_as_such(
    fake: FakeBucket,
    payloads: dict[str, bytes],
    digests: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_payloads(tmp_path, payloads)
    monkeypatch.setattr(fashion_mnist, "DESCRIPTION", described(digests))
    landed = land("gs://bucket", str(tmp_path), {}, allow_unverified=True)
    assert (landed.metadata["name"], landed.metadata["verified"]) == ("FashionMNIST", True)


def test_it_works_with_the_local_bucket_which_ignores_generations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = write_idx_set(tmp_path / "data", 4, 2)
    home = f"gs://{emulator.LOCAL_BUCKET}"
    with emulator.serve(tmp_path / "storage") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        landed = land(f"{home}/home/", "", described(digests).as_dict(), False)
        names = [NAME, *(f"{name}.gz" for name in FILES)]
        assert folder.list_files(landed.uri) == sorted(f"{landed.uri}/{name}" for name in names)
        again = land(f"{home}/home", str(tmp_path / "data"), {}, allow_unverified=True)
        copied = land(f"{home}/copy", landed.uri, {}, False)
    assert landed.report["files"][TRAIN_IMAGES]["source"] == str(tmp_path / "data")
    assert {entry["state"] for entry in again.report["files"].values()} == {"already there"}
    assert copied.metadata == landed.metadata
    assert copied.report["files"][TRAIN_IMAGES]["source"] == landed.uri


def test_the_component_points_raw_at_the_bucket_and_writes_the_report(
    fake: FakeBucket, tmp_path: Path
) -> None:
    digests = write_idx_set(tmp_path / "set", 4, 2)
    raw, report = Dataset(uri="unset"), Artifact(uri=str(tmp_path / "landing"))
    ingest.python_func(
        bucket_uri="gs://bucket/home",
        raw=raw,
        landing=report,
        source=str(tmp_path / "set"),
        dataset=described(digests).as_dict(),
    )
    assert raw.uri.startswith("gs://bucket/home/raw/")
    assert raw.metadata["examples"] == {"train": 40, "test": 20}
    assert json.loads((tmp_path / "landing").read_text())["directory"] == raw.uri


def test_without_a_bucket_raw_is_an_ordinary_output_which_decode_reads(tmp_path: Path) -> None:
    digests = write_idx_set(tmp_path / "set", 4, 2)
    raw, report = Dataset(uri="minio://bucket/raw"), Artifact(uri=str(tmp_path / "landing"))
    raw.custom_path = str(tmp_path / "raw")
    ingest.python_func(
        raw=raw,
        landing=report,
        source=str(tmp_path / "set"),
        dataset=described(digests).as_dict(),
    )
    assert raw.uri == "minio://bucket/raw"
    names = {f"{name}.gz" for name in FILES}
    assert {path.name for path in (tmp_path / "raw").iterdir()} == {NAME, *names}
    files = json.loads((tmp_path / "landing").read_text())["files"]
    assert {file["state"] for file in files.values()} == {"written"}
    records = {
        f"{split}_records": Dataset(uri=str(tmp_path / split))
        for split in ("train", "validation", "test")
    }
    decode.python_func(raw=raw, **records)
    assert [one.metadata["examples"] for one in records.values()] == [37, 3, 20]
