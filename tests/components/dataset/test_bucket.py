import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.dataset import bucket, storage
from components.dataset.errors import BucketError
from tests import planted
from tests.fakes.storage import FakeBucket, serve_emulator, serve_storage


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        yield fake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.gz"
    path.write_bytes(gzip.compress(bytes(range(256)) * 100, mtime=0))
    return path


def test_a_key_that_cannot_be_read_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = planted.service_account(tmp_path / "key.json")
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    storage._client_for.cache_clear()
    with pytest.raises(BucketError, match="needs credentials") as caught:
        bucket.stat("gs://bucket/a")
    assert not planted.told(str(caught.value))


@pytest.mark.parametrize("uri", ["", "bucket/a", "gs://", "gs:///a", "s3://bucket/a"])
def test_what_is_no_bucket_address_is_refused(uri: str) -> None:
    with pytest.raises(BucketError, match="expected gs://BUCKET"):
        bucket.parse_uri(uri)


def test_an_address_is_a_bucket_and_a_name() -> None:
    assert bucket.parse_uri("gs://bucket") == ("bucket", "")
    assert bucket.parse_uri("gs://bucket/a/b/") == ("bucket", "a/b")


def test_an_upload_carries_checksum_and_metadata(fake: FakeBucket, file: Path) -> None:
    assert bucket.upload(file, "gs://bucket/a/numbers.gz", {"key": "value"})
    assert fake.objects["a/numbers.gz"] == file.read_bytes()
    there = bucket.stat("gs://bucket/a/numbers.gz")
    assert there is not None
    assert (there.size, there.metadata) == (file.stat().st_size, {"key": "value"})


def test_the_same_bytes_again_are_already_there(fake: FakeBucket, file: Path) -> None:
    assert bucket.upload(file, "gs://bucket/numbers.gz", {})
    assert not bucket.upload(file, "gs://bucket/numbers.gz", {})
    assert fake.uploads == ["numbers.gz"]


def test_other_bytes_are_never_overwritten(fake: FakeBucket, file: Path) -> None:
    fake.put("numbers.gz", b"something else")
    with pytest.raises(
        bucket.ObjectDiffersError, match=r"gs://bucket/numbers\.gz is already there"
    ):
        bucket.upload(file, "gs://bucket/numbers.gz", {})
    assert fake.objects["numbers.gz"] == b"something else"


def test_an_object_is_streamed_in_blocks(fake: FakeBucket) -> None:
    content = bytes(range(256)) * 10
    fake.put("a", content)
    reader = bucket.open_object("gs://bucket/a", block=1000)
    assert b"".join(iter(lambda: reader.read(700), b"")) == content
    assert len(fake.downloads) == 3


def test_damage_on_the_way_is_found(fake: FakeBucket) -> None:
    fake.put("a", bytes(1000))
    fake.damage = True
    reader = bucket.open_object("gs://bucket/a")
    with pytest.raises(BucketError, match="gs://bucket/a arrived damaged"):
        reader.read(1000)


def test_an_object_that_is_gone_says_to_run_without_the_cache(fake: FakeBucket) -> None:
    assert bucket.stat("gs://bucket/a") is None
    with pytest.raises(BucketError, match="gs://bucket/a is gone; run again with --no-cache"):
        bucket.open_object("gs://bucket/a")


def test_an_object_that_goes_away_while_it_is_read_says_so(fake: FakeBucket) -> None:
    fake.put("a", bytes(1000))
    reader = bucket.open_object("gs://bucket/a")
    fake.objects.clear()
    with pytest.raises(BucketError, match="gs://bucket/a is gone; run again with --no-cache"):
        reader.read(1000)


def test_objects_are_listed_below_a_prefix(fake: FakeBucket) -> None:
    for name in ("a/2", "a/1", "ab/3"):
        fake.put(name, b"x")
    assert bucket.list_objects("gs://bucket/a") == ["gs://bucket/a/1", "gs://bucket/a/2"]


def test_a_missing_bucket_is_named(fake: FakeBucket, file: Path) -> None:
    for call in (
        lambda: bucket.check_bucket("gs://elsewhere/a"),
        lambda: bucket.upload(file, "gs://elsewhere/a", {}),
    ):
        with pytest.raises(BucketError, match="the bucket gs://elsewhere does not exist; create"):
            call()


def test_a_refusal_names_the_role(fake: FakeBucket, file: Path) -> None:
    fake.refuse = True
    with pytest.raises(BucketError, match=r"roles/storage\.objectAdmin on gs://bucket"):
        bucket.upload(file, "gs://bucket/a", {})
    with pytest.raises(BucketError, match=r"roles/storage\.objectViewer on gs://bucket"):
        bucket.stat("gs://bucket/a")


def test_an_unreachable_service_is_an_error_after_bounded_retries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage, "RETRY_SECONDS", 0.1)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(BucketError, match="gs://bucket cannot be reached"):
        bucket.check_bucket("gs://bucket")


def test_missing_credentials_say_how_to_get_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    storage._client_for.cache_clear()
    with pytest.raises(BucketError, match="gcloud auth application-default login"):
        bucket.stat("gs://bucket/a")


def test_it_works_with_the_emulator_too(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * (36 << 10))
    with serve_emulator(tmp_path / "storage") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        for path in (file, large):
            uri = f"gs://bucket/a/{path.name}"
            assert bucket.upload(path, uri, {"key": "value"})
            reader = bucket.open_object(uri, block=1 << 20)
            assert b"".join(iter(lambda: reader.read(1 << 16), b"")) == path.read_bytes()  # noqa: B023
        assert bucket.list_objects("gs://bucket/a") == [
            "gs://bucket/a/large",
            "gs://bucket/a/numbers.gz",
        ]
        with pytest.raises(BucketError, match="bucket gs://elsewhere does not exist"):
            bucket.check_bucket("gs://elsewhere/a")
