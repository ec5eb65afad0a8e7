"""Mirrors over TLS: whose certificate is not accepted gets no request."""

import hashlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import TRAIN_IMAGES
from components.ingest import connection
from components.ingest import mirror as mirrors
from components.ingest.fetch import fetch
from components.ingest.sources import resolve
from tests.components.ingest.source_faults import answer, packed
from tests.fakes.certificates import DAY, NOW, Authority, authority
from tests.fakes.mirror import FakeMirror
from tests.fakes.unruly import Speech, serve_unruly


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this test's clients trust."""
    made = authority()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.write(tmp_path / "authority.pem")))
    return made


@pytest.fixture
def payload(payloads: dict[str, bytes]) -> bytes:
    return payloads[TRAIN_IMAGES]


def test_a_mirror_with_a_sound_certificate_is_used(
    trusted: Authority, payload: bytes, tmp_path: Path
) -> None:
    digest = hashlib.sha256(payload).hexdigest()
    body = answer(packed(payload))
    with serve_unruly(lambda path: [body], trusted.server(tmp_path)) as server:
        assert server.url.startswith("https://")
        assert fetch(resolve(server.url), TRAIN_IMAGES, digest, tmp_path).source == server.url


UNSOUND: dict[str, tuple[Callable[[Authority, Path], ssl.SSLContext], str]] = {
    "expired": (lambda ours, path: ours.server(path, until=NOW - DAY), "has expired"),
    "for another host": (lambda ours, path: ours.server(path, host="mirror.example"), "mismatch"),
    "for another address": (lambda ours, path: ours.server(path, host="127.0.0.2"), "mismatch"),
    "by nobody we know": (lambda ours, path: authority().server(path), "certificate verify failed"),
}


@pytest.mark.parametrize(("make", "said"), UNSOUND.values(), ids=UNSOUND.keys())
def test_one_whose_certificate_is_not_accepted_is_left_at_once_and_gets_no_request(
    make: Callable[[Authority, Path], ssl.SSLContext],
    said: str,
    trusted: Authority,
    mirror: FakeMirror,
    payload: bytes,
    tmp_path: Path,
) -> None:
    digest = hashlib.sha256(payload).hexdigest()
    body = answer(packed(payload))
    with serve_unruly(lambda path: [body], make(trusted, tmp_path)) as server:
        with pytest.raises(SourceError, match=f"its certificate is not accepted .*{said}"):
            fetch(resolve(server.url), TRAIN_IMAGES, digest, tmp_path)
        sources = resolve(server.url) + resolve(mirror.url)
        assert fetch(sources, TRAIN_IMAGES, digest, tmp_path).source == mirror.url
        assert (server.requests, server.connections) == ([], 2)


def test_one_that_speaks_no_tls_is_no_connection(mirror: FakeMirror, tmp_path: Path) -> None:
    source = mirror.url.replace("http://", "https://")
    with pytest.raises(SourceError, match="no connection"):
        fetch(resolve(source), TRAIN_IMAGES, None, tmp_path)


def test_one_that_is_silent_in_the_handshake_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "CONNECT_SECONDS", 0.3)
    started = time.monotonic()
    with serve_unruly(lambda path: [], greet=lambda: [b"\x16\x03", 3.0]) as server:
        source = server.url.replace("http://", "https://")
        with pytest.raises(SourceError, match="no connection"):
            fetch(resolve(source), TRAIN_IMAGES, None, tmp_path)
    assert time.monotonic() - started < 10


def test_a_trickle_over_tls_is_given_up(
    trusted: Authority, payload: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.3)

    def trickle(path: str) -> Speech:
        for byte in answer(payload):
            yield b"%c" % byte
            yield 0.02

    with (
        serve_unruly(trickle, trusted.server(tmp_path)) as server,
        pytest.raises(SourceError, match="too slow"),
    ):
        fetch(resolve(server.url), TRAIN_IMAGES, None, tmp_path)
