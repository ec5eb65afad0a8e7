"""The local bucket after a kill, a power cut, or a full disk."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from gcp_storage_emulator.storage import Storage

from components.dataset.bucket import crc32c_of
from pipeline import files as durable
from pipeline.local import bucket_files, emulator
from tests.pipeline.local.test_emulator import client

OBJECT = ".cloudstorage/fashion-mnist-local/run/state"
INDEX = ".cloudstorage/.meta"


class Killed(BaseException):
    """Stands for the end of the process."""


def write(host: str, content: bytes, name: str = "run/state") -> None:
    bucket = client(host).bucket(emulator.LOCAL_BUCKET)
    bucket.blob(name).upload_from_string(content, retry=None)


def read(directory: Path) -> dict[str, bytes]:
    """The objects that a new emulator serves."""
    with emulator.serve(directory) as host:
        bucket = client(host).bucket(emulator.LOCAL_BUCKET)
        names = [blob.name for blob in bucket.list_blobs()]
        # What a listing gives still has the address of the emulator that wrote it.
        return {name: bucket.blob(name).download_as_bytes(checksum="crc32c") for name in names}


def die(*_: Any, **__: Any) -> None:
    raise Killed


def test_an_object_killed_while_it_is_written_over_is_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator.alone(tmp_path), emulator.started(tmp_path) as bucket:
        write(bucket.host, b"old")
        write(bucket.host, b"other", "run/other")
        monkeypatch.setattr(bucket.storage, "_write_config_to_file", die)
        with pytest.raises(Killed):
            bucket.storage.create_file(emulator.LOCAL_BUCKET, "run/state", b"newer", {})
    assert (tmp_path / OBJECT).read_bytes() == b"newer"
    assert read(tmp_path) == {"run/state": b"old", "run/other": b"other"}
    assert not (tmp_path / ".cloudstorage" / bucket_files.BEFORE).exists()


def test_an_object_killed_while_it_is_written_first_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator.alone(tmp_path), emulator.started(tmp_path) as bucket:
        monkeypatch.setattr(bucket.storage, "_write_config_to_file", die)
        with pytest.raises(Killed):
            bucket.storage.create_file(emulator.LOCAL_BUCKET, "run/state", b"new", {})
    assert read(tmp_path) == {}


def test_an_object_that_lost_its_bytes_is_not_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"content")
        write(host, b"other", "run/other")
    (tmp_path / OBJECT).write_bytes(b"cont\0\0\0")
    assert read(tmp_path) == {"run/other": b"other"}
    assert "gs://fashion-mnist-local/run/state is damaged; it is made anew" in caplog.text


@pytest.mark.parametrize("content", [b"", b'{"buckets": {"fash', b"\xff\xff"])
def test_a_damaged_index_is_set_aside_and_the_bucket_begins_anew(
    tmp_path: Path, content: bytes
) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"content")
    (tmp_path / INDEX).write_bytes(content)
    assert read(tmp_path) == {}
    with emulator.serve(tmp_path) as host:
        write(host, b"anew")
    assert read(tmp_path) == {"run/state": b"anew"}


def test_a_full_disk_leaves_the_index_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"old")
    replacing = durable.write

    def full_for_the_index(path: Path, *args: Any, **options: Any) -> None:
        if path.name == bucket_files.INDEX:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replacing(path, *args, **options)

    with pytest.raises(Exception, match="full"), emulator.serve(tmp_path) as host:
        monkeypatch.setattr(durable, "write", full_for_the_index)
        write(host, b"new")
    monkeypatch.undo()
    assert read(tmp_path) == {"run/state": b"old"}


def test_what_a_dead_run_left_is_cleared(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"content")
        blob = client(host).bucket(emulator.LOCAL_BUCKET).blob("large")
        blob.create_resumable_upload_session()
    files = tmp_path / ".cloudstorage"
    (files / "fashion-mnist-local" / f"{durable.UNFINISHED}abc").write_bytes(b"half")
    (files / "_softdelete").mkdir()
    (files / "_softdelete" / "old").write_bytes(b"old")
    assert read(tmp_path) == {"run/state": b"content"}
    left = sorted(str(path.relative_to(files)) for path in files.rglob("*") if path.is_file())
    assert left == [".meta", "fashion-mnist-local/run/state"]
    assert Storage(data_dir=str(tmp_path)).resumable == {}


def test_a_deleted_object_takes_no_room(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"content")
        client(host).bucket(emulator.LOCAL_BUCKET).blob("run/state").delete()
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if path.name not in (".meta", ".lock")] == []


def test_checksums_are_those_at_and_below_an_address(tmp_path: Path) -> None:
    with emulator.alone(tmp_path), emulator.started(tmp_path) as bucket:
        for name in ("raw/a", "raw/b", "rawer/c"):
            write(bucket.host, name.encode(), name)
        uri = f"gs://{emulator.LOCAL_BUCKET}"
        assert set(bucket.checksums(f"{uri}/raw")) == {"raw/a", "raw/b"}
        assert set(bucket.checksums(f"{uri}/raw/")) == {"raw/a", "raw/b"}
        assert set(bucket.checksums(f"{uri}/raw/a")) == {"raw/a"}
        assert len(bucket.checksums(uri)) == 3
        assert bucket.checksums("gs://another/raw") == {}
        assert bucket.checksums(uri)["raw/a"] == crc32c_of(
            tmp_path / ".cloudstorage" / emulator.LOCAL_BUCKET / "raw" / "a"
        )
