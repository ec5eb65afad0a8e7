import gzip
import hashlib
import json
import logging
from pathlib import Path

import pytest
from kfp.dsl import Artifact, Dataset

from components.dataset import folder
from components.dataset.errors import BucketError, DataError, ParameterError, SourceError
from components.dataset.facts import FILES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from components.ingest.component import ingest
from components.ingest.fashion_mnist import DIGESTS
from components.ingest.landing import Landed, expected_digests, land, raw_directory
from pipeline.local import emulator
from tests.fakes.mirror import FakeMirror, answer
from tests.fakes.storage import FakeBucket
from tests.idx_files import (
    labels_payload,
    payload_digests,
    shuffled_labels,
    write_idx_set,
    write_payloads,
)


def land_from(mirror: FakeMirror, digests: dict[str, str]) -> Landed:
    return land("gs://bucket/home", mirror.url, digests, allow_unverified=False)


def test_the_files_are_below_the_digest_of_their_digests(
    fake: FakeBucket, mirror: FakeMirror, files: dict[str, bytes], digests: dict[str, str]
) -> None:
    landed = land_from(mirror, digests)
    key = hashlib.sha256("".join(digests[name] for name in FILES).encode()).hexdigest()[:16]
    home = f"home/raw/{key}"
    assert landed.uri == f"gs://bucket/{home}"
    assert fake.objects == {f"{home}/{name}": body for name, body in files.items()}
    assert landed.metadata == {
        "digests": digests,
        "examples": {"train": 60, "test": 20},
        "rows": 28,
        "columns": 28,
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
    assert len(fake.committed) == 4
    assert (second.uri, second.metadata) == (first.uri, first.metadata)
    assert {entry["state"] for entry in second.report["files"].values()} == {"already there"}
    assert (
        "verified by SHA-256: 1 of 4 files downloaded, 0 uploaded"
        in caplog.records[-1].getMessage()
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
    assert len(fake.committed) == 4


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
    name = f"{raw_directory('home', digests)}/{TRAIN_LABELS}.gz"
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
                place = f"{raw_directory('home', digests)}/{name}.gz"
                note = {"payload-sha256": digests[name], "examples": "1"}
                fake.put(place, gzip.compress(payload, 1), note)

    fake.watch = faster
    report = land_from(mirror, digests).report
    assert fake.committed == []
    assert {entry["state"] for entry in report["files"].values()} == {"already there"}


def test_another_dataset_lands_unverified_only_when_that_is_allowed(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str]
) -> None:
    with pytest.raises(SourceError, match="another dataset under the same name"):
        land("gs://bucket", mirror.url, {}, allow_unverified=False)
    landed = land("gs://bucket", mirror.url, {}, allow_unverified=True)
    assert landed.metadata["verified"] is False
    assert landed.metadata["digests"] == digests
    assert landed.uri == raw_directory("gs://bucket", digests)
    again = land("gs://bucket", mirror.url, {}, allow_unverified=True)
    assert (again.metadata, len(fake.committed)) == (landed.metadata, 4)


def test_images_and_labels_that_differ_in_number_do_not_land(
    fake: FakeBucket, payloads: dict[str, bytes], tmp_path: Path
) -> None:
    odd = payloads | {TRAIN_LABELS: labels_payload(shuffled_labels(5))}
    write_payloads(tmp_path / "odd", odd)
    with pytest.raises(DataError, match=f"{TRAIN_IMAGES} has 60 examples, .* has 50"):
        land("gs://bucket", str(tmp_path / "odd"), payload_digests(odd), False)
    assert fake.objects == {}


def test_a_missing_bucket_is_found_before_anything_is_downloaded(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str]
) -> None:
    with pytest.raises(BucketError, match="bucket gs://elsewhere does not exist"):
        land("gs://elsewhere", mirror.url, digests, False)
    assert mirror.requests == []


def test_digests_are_checked_and_without_any_fashion_mnists_are_expected() -> None:
    with pytest.raises(ParameterError, match="digests names train, expected exactly train-images"):
        expected_digests({"train": "0" * 64}, False)
    with pytest.raises(ParameterError, match="is 'abc', expected the 64 hexadecimal"):
        expected_digests(DIGESTS | {TRAIN_IMAGES: "abc"}, False)
    assert expected_digests({}, False) == DIGESTS
    assert expected_digests({}, True) == {}
    upper = {name: digest.upper() for name, digest in DIGESTS.items()}
    assert expected_digests(upper, True) == DIGESTS


def test_it_works_with_the_local_bucket_which_ignores_generations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = write_idx_set(tmp_path / "data", 4, 2)
    home = f"gs://{emulator.LOCAL_BUCKET}"
    with emulator.serve(tmp_path / "storage") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        landed = land(f"{home}/home/", "", digests, False)
        assert folder.list_files(landed.uri) == sorted(f"{landed.uri}/{n}.gz" for n in FILES)
        again = land(f"{home}/home", str(tmp_path / "data"), {}, allow_unverified=True)
        copied = land(f"{home}/copy", landed.uri, digests, False)
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
        digests=digests,
    )
    assert raw.uri.startswith("gs://bucket/home/raw/")
    assert raw.metadata["examples"] == {"train": 40, "test": 20}
    assert json.loads((tmp_path / "landing").read_text())["directory"] == raw.uri
