import contextlib
import errno
import http.client
import os
import sys
import threading
from pathlib import Path

import pytest
import requests
from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from components.dataset.errors import DiskError
from pipeline.local import emulator
from pipeline.local import run as local


def client(host: str) -> storage.Client:
    return storage.Client(
        project="local",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": host},
    )


def test_objects_are_there_again_after_a_restart(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        client(host).bucket(emulator.LOCAL_BUCKET).blob("a/b").upload_from_string(b"data")
    with emulator.serve(tmp_path) as host:
        blob = client(host).bucket(emulator.LOCAL_BUCKET).blob("a/b")
        assert blob.download_as_bytes() == b"data"


def listening(port: int) -> set[str]:
    """The addresses at which this machine listens on a port, as Linux writes them."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            _, local, _, state, *_ = line.split()
            address, _, hexadecimal = local.rpartition(":")
            if state == "0A" and int(hexadecimal, 16) == port:
                found.add(address)
    return found


def test_what_a_killed_upload_has_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        blob = client(host).bucket(emulator.LOCAL_BUCKET).blob("a", chunk_size=256 << 10)
        with pytest.raises(RuntimeError), blob.open("wb") as writer:
            writer.write(bytes(600 << 10))
            assert parts(tmp_path) == [512 << 10]
            raise RuntimeError
    with emulator.serve(tmp_path) as host:
        assert parts(tmp_path) == []
        client(host).bucket(emulator.LOCAL_BUCKET).blob("b").upload_from_string("works")


def parts(directory: Path) -> list[int]:
    """The sizes of the uploads that have not ended."""
    return [path.stat().st_size for path in directory.rglob("_resumable/*")]


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with emulator.serve(tmp_path) as host:
        port = int(host.rpartition(":")[2])
        assert host == f"http://127.0.0.1:{port}"
        assert listening(port) == {f"{int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder):08X}"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/storage/v1/b", {"Host": "attacker.example"}),
        ("/storage/v1/b", {"Host": "attacker.example:80"}),
        ("/storage/v1/b", {"Host": "127.0.0.1.attacker.example"}),
        ("/storage/v1/b", {"Origin": "https://attacker.example"}),
        ("/storage/v1/b", {"Origin": "null"}),
        ("/storage/v1/b", {"Sec-Fetch-Site": "cross-site"}),
        ("/wipe", {}),
        ("/wipe?keep-buckets=1", {}),
        ("/wipe;x", {}),
        ("/wipe/", {}),
        ("//wipe", {}),
        ("/storage/v1/b", {"Host": "127.0.0.1:/wipe?"}),
        ("/storage/v1/b", {"Host": "127.0.0.1:80#"}),
    ],
)
def test_a_web_page_reaches_nothing_and_nothing_is_wiped(
    tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    with emulator.serve(tmp_path) as host:
        bucket = client(host).bucket(emulator.LOCAL_BUCKET)
        bucket.blob("a").upload_from_string(b"data")
        assert requests.get(f"{host}/storage/v1/b", timeout=10).status_code == 200
        assert requests.get(f"{host}{path}", headers=headers, timeout=10).status_code == 403
        assert requests.post(f"{host}{path}", headers=headers, timeout=10).status_code == 403
        assert bucket.blob("a").download_as_bytes() == b"data"


@pytest.mark.parametrize("path", ["/wipe#x", "x/wipe", ":80/wipe", "http://127.0.0.1/wipe"])
def test_what_no_client_would_send_wipes_nothing_either(tmp_path: Path, path: str) -> None:
    with emulator.serve(tmp_path) as host:
        bucket = client(host).bucket(emulator.LOCAL_BUCKET)
        bucket.blob("a").upload_from_string(b"data")
        connection = http.client.HTTPConnection(host.removeprefix("http://"), timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 403
        connection.close()
        assert bucket.blob("a").download_as_bytes() == b"data"


@pytest.mark.parametrize("name", ["../escaped", "../../escaped", "/escaped", "a/../../../escaped"])
def test_the_name_of_an_object_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with emulator.serve(tmp_path / "a" / "bucket") as host:
        blob = client(host).bucket(emulator.LOCAL_BUCKET).blob(name)
        with contextlib.suppress(GoogleAPIError, requests.RequestException):
            blob.upload_from_string(b"data", retry=None, timeout=10)
    inside = tmp_path / "a" / "bucket"
    assert all(path.is_relative_to(inside) for path in tmp_path.rglob("*") if path.is_file())
    assert not Path("/escaped").exists()


def test_a_second_emulator_of_a_folder_waits_for_the_first(tmp_path: Path) -> None:
    seen: list[str] = []

    def second() -> None:
        with emulator.serve(tmp_path) as host:
            blob = client(host).bucket(emulator.LOCAL_BUCKET).blob("late")
            seen.append(blob.download_as_text())

    with emulator.serve(tmp_path) as host:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        client(host).bucket(emulator.LOCAL_BUCKET).blob("late").upload_from_string("written")
    thread.join(10)
    assert seen == ["written"]


def test_the_environment_is_as_before_after_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    with local.bucket(tmp_path) as uri:
        assert uri == "gs://fashion-mnist-local"
        assert os.environ["STORAGE_EMULATOR_HOST"].startswith("http://127.0.0.1:")
    assert "STORAGE_EMULATOR_HOST" not in os.environ


def test_a_full_disk_is_told_where_the_client_saw_a_refusal_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(DiskError, match=f"the disk that holds {tmp_path} is full.*--root"),
        emulator.serve(tmp_path) as host,
    ):
        monkeypatch.setattr(Path, "write_bytes", full)
        upload = client(host).bucket(emulator.LOCAL_BUCKET).blob("a")
        upload.upload_from_string(b"data", retry=None)


def test_other_failures_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(KeyError), emulator.serve(tmp_path):
        raise KeyError
