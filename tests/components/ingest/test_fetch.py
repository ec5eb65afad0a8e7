import gzip
import hashlib
import logging
import time
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import TEST_IMAGES, TRAIN_IMAGES
from components.ingest import connection
from components.ingest import fetch as fetching
from components.ingest import mirror as mirrors
from components.ingest.fetch import Fetched, fetch
from components.ingest.sources import resolve
from tests.fakes.mirror import Answer, FakeMirror, serve_mirror
from tests.fakes.unruly import serve_unruly
from tests.idx_files import IMAGES_MAGIC, header

FILE = f"{TRAIN_IMAGES}.gz"
DIGITS = header(IMAGES_MAGIC, 60, 28, 28) + bytes(60 * 784)


def fetch_from(mirror: FakeMirror, payload: bytes, scratch: Path, other: str = "") -> Fetched:
    """Fetches the training images from the mirror, then from ``other`` if it is given."""
    sources = resolve(mirror.url) + (resolve(other) if other else [])
    return fetch(sources, TRAIN_IMAGES, hashlib.sha256(payload).hexdigest(), scratch)


@pytest.fixture
def payload(payloads: dict[str, bytes]) -> bytes:
    return payloads[TRAIN_IMAGES]


def test_the_bytes_that_were_served_are_kept(
    mirror: FakeMirror, files: dict[str, bytes], payload: bytes, tmp_path: Path
) -> None:
    fetched = fetch_from(mirror, payload, tmp_path)
    assert fetched.path.read_bytes() == files[FILE]
    assert (fetched.source, fetched.size) == (mirror.url, len(files[FILE]))
    assert fetched.content.header.count == 60


@pytest.mark.parametrize(
    ("answer", "requests", "said"),
    [
        (Answer(b"", status=503), 3, "HTTP 503"),
        (Answer(b"", status=429), 3, "HTTP 429"),
        (Answer(b"", status=403), 1, "HTTP 403"),
        (Answer(gzip.compress(DIGITS), sent=40), 3, "connection lost after 40 bytes"),
        (Answer(gzip.compress(DIGITS), sent=40, reset=True), 3, "connection lost"),
        (Answer(gzip.compress(DIGITS)[:-20]), 1, "truncated"),
        (Answer(b"<!DOCTYPE html><html>"), 1, "at byte 0"),
        (Answer(gzip.compress(b"<!DOCTYPE html><html>")), 1, "at byte 0"),
        (Answer(gzip.compress(DIGITS)), 1, "another dataset under the same name"),
        (Answer(gzip.compress(DIGITS + b"x")), 1, "trailing bytes"),
        (Answer(DIGITS, endless=True), 1, "trailing bytes"),
        (Answer(header(IMAGES_MAGIC, 2**32 - 1, 28, 28), endless=True), 1, "4294967295 examples"),
        (Answer(b""), 1, "ends at byte 0"),
    ],
)
def test_a_mirror_that_misbehaves_is_left_for_the_next_with_one_line_that_says_why(
    answer: Answer,
    requests: int,
    said: str,
    mirror: FakeMirror,
    payload: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="components")
    with serve_mirror() as bad:
        bad.answers[FILE] = answer
        fetched = fetch_from(bad, payload, tmp_path, other=mirror.url)
    assert fetched.source == mirror.url
    assert len(bad.requests) == requests
    refusals = [r.getMessage() for r in caplog.records if f"not from {bad.url}" in r.getMessage()]
    assert len(refusals) == 1
    assert said in refusals[0]


def test_a_failure_that_passes_is_overcome_by_trying_again(
    mirror: FakeMirror, files: dict[str, bytes], payload: bytes, tmp_path: Path
) -> None:
    broken = Answer(files[FILE], sent=100, reset=True)
    mirror.answers[FILE] = [Answer(b"", status=500), broken, Answer(files[FILE])]
    fetched = fetch_from(mirror, payload, tmp_path)
    assert fetched.path.read_bytes() == files[FILE]
    assert len(mirror.requests) == 3


def test_a_mirror_that_is_down_is_not_asked_for_further_files(
    mirror: FakeMirror, payloads: dict[str, bytes], tmp_path: Path
) -> None:
    with serve_mirror() as gone:
        pass
    sources = [*resolve(gone.url), *resolve(mirror.url)]
    for name in (TRAIN_IMAGES, TEST_IMAGES):
        digest = hashlib.sha256(payloads[name]).hexdigest()
        assert fetch(sources, name, digest, tmp_path).source == mirror.url
    with (
        pytest.raises(SourceError, match="not reachable for an earlier file"),
        sources[0].open(TRAIN_IMAGES),
    ):
        pass


def test_a_trickle_is_given_up_though_every_packet_comes_in_time(
    files: dict[str, bytes],
    mirror: FakeMirror,
    payload: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.3)
    started = time.monotonic()
    with serve_mirror() as slow:
        slow.answers[FILE] = Answer(files[FILE], piece=1, pause=0.05)
        assert fetch_from(slow, payload, tmp_path, other=mirror.url).source == mirror.url
        assert len(slow.requests) == 1
    assert time.monotonic() - started < 5


def test_a_mirror_that_thinks_before_its_first_byte_is_not_slow(
    payload: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.3)
    body = gzip.compress(payload)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with serve_unruly(lambda _: [0.6, head, body]) as thoughtful:
        digest = hashlib.sha256(payload).hexdigest()
        assert fetch(resolve(thoughtful.url), TRAIN_IMAGES, digest, tmp_path).size == len(body)


def test_a_mirror_that_falls_silent_is_given_up(
    files: dict[str, bytes],
    mirror: FakeMirror,
    payload: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirrors, "READ_SECONDS", 0.2)
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    with serve_mirror() as silent:
        silent.answers[FILE] = Answer(files[FILE], piece=100, pause=1.0)
        assert fetch_from(silent, payload, tmp_path, other=mirror.url).source == mirror.url


def test_a_body_without_end_that_looks_sound_stops_at_the_size_bound(
    payload: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_BYTES", 1 << 20)
    with serve_mirror() as endless:
        endless.answers[FILE] = Answer(header(IMAGES_MAGIC, 3_000_000, 28, 28) * 999, endless=True)
        with pytest.raises(SourceError, match=r"too large \(more than 1048576 bytes\)"):
            fetch_from(endless, payload, tmp_path)


def test_when_all_fail_the_error_says_what_happened_at_each_and_what_to_do(
    payload: bytes, tmp_path: Path
) -> None:
    with serve_mirror() as first, serve_mirror() as second:
        second.answers[FILE] = Answer(b"<html>")
        with pytest.raises(SourceError) as caught:
            fetch_from(first, payload, tmp_path, other=second.url)
        text = str(caught.value)
    assert f"{first.url}: HTTP 404" in text
    assert f"{second.url}: {FILE} is not the IDX file" in text
    assert "dataset-fashion-mnist" in text


def test_a_plain_file_is_taken_where_there_is_no_compressed_one(
    payload: bytes, tmp_path: Path
) -> None:
    packed = []
    for scratch in (tmp_path / "a", tmp_path / "b"):
        scratch.mkdir()
        with serve_mirror({TRAIN_IMAGES: payload}) as plain:
            packed.append(fetch_from(plain, payload, scratch).path.read_bytes())
        assert [path.name for path in scratch.iterdir()] == [FILE]
    assert gzip.decompress(packed[0]) == payload
    assert packed[0] == packed[1]
    assert packed[0][4:8] == bytes(4), "the time of compression is in the file"
