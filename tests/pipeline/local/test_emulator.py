"""The local bucket: what it serves, to whom, and what a kill or a full disk leaves of it."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from components.dataset.errors import DiskError
from pipeline import files
from pipeline.local import emulator

OBJECT = f".cloudstorage/{emulator.LOCAL_BUCKET}/run/state"


class Killed(BaseException):
    """Stands for the end of the process."""


def bucket_at(host: str) -> storage.Bucket:
    client = storage.Client(
        project="local",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": host},
    )
    return client.bucket(emulator.LOCAL_BUCKET)


def write(host: str, content: bytes, name: str = "run/state") -> None:
    bucket_at(host).blob(name).upload_from_string(content, retry=None)


def read(directory: Path) -> dict[str, bytes]:
    with emulator.serve(directory) as host:
        bucket = bucket_at(host)
        names = [blob.name for blob in bucket.list_blobs()]
        # What a listing gives still has the address of the emulator that wrote it.
        return {name: bucket.blob(name).download_as_bytes(checksum="crc32c") for name in names}


def files_in(directory: Path) -> list[str]:
    found = (path for path in (directory / ".cloudstorage").rglob("*") if path.is_file())
    return sorted(path.relative_to(directory / ".cloudstorage").as_posix() for path in found)


def test_objects_are_there_again_after_a_restart_and_deleted_ones_take_no_room(
    tmp_path: Path,
) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"data", "a/b")
        write(host, b"more", "a/c")
        bucket_at(host).blob("a/c").delete()
    assert read(tmp_path) == {"a/b": b"data"}
    assert files_in(tmp_path) == [".meta", f"{emulator.LOCAL_BUCKET}/a/b"]


def test_an_object_killed_while_it_is_written_is_the_old_one_or_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with emulator.alone(tmp_path), emulator.started(tmp_path) as bucket:
        for name in ("first", "second"):
            write(bucket.host, b"old", name)

        def die(*_: Any) -> None:
            raise Killed

        def create(name: str) -> None:
            with pytest.raises(Killed):
                bucket.storage.create_file(emulator.LOCAL_BUCKET, name, b"newer", {})

        monkeypatch.setattr(bucket.storage, "_write_config_to_file", die)
        for name in ("second", "third"):  # Their bytes are written, and not the index.
            create(name)
        monkeypatch.setattr(Path, "replace", die)
        create("first")  # Not even its bytes.
    monkeypatch.undo()
    assert read(tmp_path) == {"first": b"old"}
    assert "second is damaged; it will be written again" in caplog.text


def test_a_killed_upload_leaves_nothing(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"content")
        blob = bucket_at(host).blob("large", chunk_size=256 << 10)
        with pytest.raises(RuntimeError), blob.open("wb") as writer:
            writer.write(bytes(600 << 10))
            assert any(name.startswith("_resumable/") for name in files_in(tmp_path))
            raise RuntimeError
    (tmp_path / OBJECT).with_name(f"{files.UNFINISHED}abc").write_bytes(b"half")
    assert read(tmp_path) == {"run/state": b"content"}
    assert files_in(tmp_path) == [".meta", f"{emulator.LOCAL_BUCKET}/run/state"]


@pytest.mark.parametrize("name", ["state", ".meta"])
def test_a_full_disk_is_reported_and_leaves_the_bucket_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with emulator.serve(tmp_path) as host:
        write(host, b"old")
    replacing = files.write

    def full(path: Path, *args: Any, **options: Any) -> None:
        if path.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replacing(path, *args, **options)

    with (
        pytest.raises(DiskError, match=f"the disk that holds {tmp_path} is full.*--root"),
        emulator.serve(tmp_path) as host,
    ):
        monkeypatch.setattr(files, "write", full)
        write(host, b"new", "run/state" if name == "state" else "other")
    monkeypatch.undo()
    assert read(tmp_path) == {"run/state": b"old"}


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        port = int(host.rpartition(":")[2])
        assert host == f"http://127.0.0.1:{port}"
        assert listening(port) == {f"{int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder):08X}"}


def listening(port: int) -> set[str]:
    """The addresses at which this machine listens on a port, as Linux writes them."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            _, local_address, _, state, *_ = line.split()
            address, _, hexadecimal = local_address.rpartition(":")
            if state == "0A" and int(hexadecimal, 16) == port:
                found.add(address)
    return found


def test_a_web_page_reaches_nothing_and_nothing_is_wiped(tmp_path: Path) -> None:
    refused = [
        {"Host": "attacker.example:80"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    with emulator.serve(tmp_path) as host:
        write(host, b"data", "a")
        assert requests.get(f"{host}/storage/v1/b", timeout=10).status_code == 200
        for headers in refused:
            for request in (requests.get, requests.post):
                answer = request(f"{host}/wipe", headers=headers, timeout=10)
                assert answer.status_code == 403, headers
        assert bucket_at(host).blob("a").download_as_bytes() == b"data"
