"""A proxy is asked for mirrors alone: for nobody's metadata server, however it is written."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import TRAIN_IMAGES
from components.ingest.fetch import fetch
from components.ingest.mirror import Mirror
from tests.components.ingest.source_faults import answer
from tests.fakes.unruly import UnrulyServer, serve_unruly

FILE = f"{TRAIN_IMAGES}.gz"
ELSEWHERE = {"trap.example": "169.254.169.254", "six.example": "fe80::1"}
"""Names, and the link-local addresses that they lead to."""


@pytest.fixture(autouse=True)
def proxy(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[UnrulyServer]:
    """A proxy that all requests go through; it has the files, whatever the host."""
    with serve_unruly(lambda path: [answer(files[FILE])]) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, server.url)
            monkeypatch.setenv(name.lower(), server.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all names those above are known."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: Any, **options: Any) -> list[Any]:
        if host.endswith(".example") and host not in ELSEWHERE:
            raise socket.gaierror("not known")
        return list(look_up(ELSEWHERE.get(host, host), *arguments, **options))

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662"),
        *("[::ffff:169.254.169.254]", "[fe80::1]", "metadata.google.internal", *ELSEWHERE),
    ],
)
def test_a_link_local_address_does_not_reach_the_proxy(
    scheme: str, host: str, proxy: UnrulyServer, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="is link-local or a metadata server"):
        fetch([Mirror(f"{scheme}://{host}/")], TRAIN_IMAGES, None, tmp_path)
    assert proxy.connections == 0


@pytest.mark.parametrize("host", ["2852039166", "trap.example"])
def test_a_redirect_that_leads_there_ends_at_the_proxy(
    host: str, proxy: UnrulyServer, tmp_path: Path
) -> None:
    proxy.speak = lambda path: [answer(b"", f"Location: http://{host}/x", status="302 Found")]
    with pytest.raises(SourceError, match="is link-local or a metadata server"):
        fetch([Mirror("http://mirror.example/")], TRAIN_IMAGES, None, tmp_path)
    assert proxy.requests == [f"http://mirror.example/{FILE}"]


def test_a_name_that_is_not_known_here_is_left_to_the_proxy(
    proxy: UnrulyServer, payloads: dict[str, bytes], tmp_path: Path
) -> None:
    digest = hashlib.sha256(payloads[TRAIN_IMAGES]).hexdigest()
    fetch([Mirror("http://mirror.example/")], TRAIN_IMAGES, digest, tmp_path)
    assert proxy.requests == [f"http://mirror.example/{FILE}"]
