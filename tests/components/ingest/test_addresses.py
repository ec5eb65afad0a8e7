"""Where a source may be, and where not: no other schemes, nobody's metadata server."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import TRAIN_IMAGES
from components.ingest.connection import refuse_link_local
from components.ingest.fetch import fetch
from components.ingest.sources import resolve
from tests.components.ingest.source_faults import answer
from tests.fakes.mirror import FakeMirror
from tests.fakes.unruly import serve_unruly

METADATA = "169.254.169.254"


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were connected to; none outside loopback is."""
    addresses: list[str] = []
    connect = socket.socket.connect

    def note(self: socket.socket, address: Any) -> None:
        addresses.append(address[0])
        assert address[0] == "127.0.0.1"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    return addresses


def answers(monkeypatch: pytest.MonkeyPatch, look_up: Callable[[], str]) -> None:
    """Lets every name have the address that ``look_up`` gives."""

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (look_up(), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "host",
    [
        METADATA,
        "169.254.0.1",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[::ffff:169.254.169.254]",
        "[fd20:ce::254]",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.16689662",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
        "metadata",
    ],
)
def test_link_local_addresses_and_metadata_servers_are_refused_at_once(
    host: str, dialled: list[str]
) -> None:
    with pytest.raises(SourceError, match="is link-local or a metadata server"):
        resolve(f"http://{host}/computeMetadata/v1/")
    assert dialled == []


def test_another_way_to_write_the_address_is_refused_before_anything_is_dialled(
    dialled: list[str], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="is link-local"):
        fetch(resolve("http://169%2e254.169.254/"), TRAIN_IMAGES, None, tmp_path)
    assert dialled == []


def test_a_name_that_leads_there_is_refused_before_anything_is_dialled(
    dialled: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers(monkeypatch, lambda: METADATA)
    with pytest.raises(SourceError, match=r"169\.254\.169\.254 is link-local"):
        fetch(resolve("https://mirror.example/"), TRAIN_IMAGES, None, tmp_path)
    assert dialled == []


def test_a_name_that_leads_there_only_the_second_time_gets_no_request(
    monkeypatch: pytest.MonkeyPatch, mirror: FakeMirror, tmp_path: Path
) -> None:
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: (METADATA, 80))
    with pytest.raises(SourceError, match=r"169\.254\.169\.254 is link-local"):
        fetch(resolve(mirror.url), TRAIN_IMAGES, None, tmp_path)
    assert mirror.requests == []


@pytest.mark.parametrize("target", [f"http://{METADATA}/x", "https://metadata.google.internal/"])
def test_a_redirect_that_leads_there_is_refused(
    target: str,
    dialled: list[str],
    mirror: FakeMirror,
    payloads: dict[str, bytes],
    tmp_path: Path,
) -> None:
    redirect = answer(b"", f"Location: {target}", status="307 Temporary Redirect")
    digest = hashlib.sha256(payloads[TRAIN_IMAGES]).hexdigest()
    with serve_unruly(lambda path: [redirect]) as unruly:
        with pytest.raises(SourceError, match="is link-local or a metadata server"):
            fetch(resolve(unruly.url), TRAIN_IMAGES, digest, tmp_path)
        sources = resolve(unruly.url) + resolve(mirror.url)
        assert fetch(sources, TRAIN_IMAGES, digest, tmp_path).source == mirror.url
    assert set(dialled) == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["mirror.example", "10.0.0.1", "2001:db8::1", "169.253.1.1", ""])
def test_every_other_host_may_be_a_mirror(host: str) -> None:
    refuse_link_local(host)


def test_redirects_are_followed(
    mirror: FakeMirror, payloads: dict[str, bytes], tmp_path: Path
) -> None:
    digest = hashlib.sha256(payloads[TRAIN_IMAGES]).hexdigest()
    targets = {
        f"/{TRAIN_IMAGES}.gz": "/other/place",
        "/other/place": f"{mirror.url}{TRAIN_IMAGES}.gz",
    }
    with serve_unruly(
        lambda path: [answer(b"", f"Location: {targets[path]}", status="302 Found")]
    ) as unruly:
        fetched = fetch(resolve(unruly.url), TRAIN_IMAGES, digest, tmp_path)
        assert fetched.source == unruly.url
        assert unruly.requests == list(targets)


@pytest.mark.parametrize(
    "source",
    ["ftp://host/a", "s3://bucket/a", "data://x", "FILE:///a", "file://host/a", "://"],
)
def test_other_schemes_are_refused(source: str) -> None:
    with pytest.raises(SourceError, match=r"has the scheme .*://, expected a directory"):
        resolve(source)


@pytest.mark.parametrize("source", ["http://", "http://[::1", "http://host:99999/", "http://:80/"])
def test_an_address_without_a_usable_host_is_refused_at_once(source: str) -> None:
    with pytest.raises(SourceError, match="is no usable address"):
        resolve(source)


def test_a_directory_can_be_given_as_a_file_address(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    assert resolve(f"file://{tmp_path}/a%20b")[0].label == str(tmp_path / "a b")


@pytest.mark.parametrize("source", ["~nobody-of-this-name/data", "a\0b", "file:///no/such/place"])
def test_what_is_no_directory_is_refused_at_once(source: str) -> None:
    with pytest.raises(SourceError, match="is not a directory; give one"):
        resolve(source)
