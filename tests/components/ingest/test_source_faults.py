"""Every fault of a mirror: the next one is used, and one line says why, in bounded time."""

import gzip
import hashlib
import io
import logging
import time
from pathlib import Path

import pytest

from components.dataset.errors import DataError, SourceError
from components.dataset.facts import DIGESTS, TEST_LABELS, TRAIN_IMAGES
from components.ingest import connection
from components.ingest import mirror as mirrors
from components.ingest.fetch import fetch, inspect
from components.ingest.sources import resolve
from tests.components.ingest.source_faults import SOUND, Fault, packed
from tests.components.ingest.source_floods import EVERY, SLOW
from tests.fakes.mirror import FakeMirror
from tests.fakes.unruly import Speech, serve_unruly
from tests.idx_files import IMAGES_MAGIC, header

SECONDS = 10.0
"""What a fault may take at the bounds below, on a machine that is busy."""


@pytest.fixture(autouse=True)
def small_bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = any(f"[{name}]" in request.node.name for name in SLOW)
    monkeypatch.setattr(mirrors, "READ_SECONDS", 0.3 if slow else 5)
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.3 if slow else 5)
    monkeypatch.setattr(connection, "MAX_BYTES", 4 << 20)


@pytest.fixture
def payload(payloads: dict[str, bytes]) -> bytes:
    return payloads[TRAIN_IMAGES]


@pytest.mark.parametrize("fault", EVERY.values(), ids=EVERY.keys())
def test_a_faulty_mirror_is_left_for_the_next(
    fault: Fault,
    mirror: FakeMirror,
    payload: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="components")
    digest = hashlib.sha256(payload).hexdigest()
    started = time.monotonic()
    with serve_unruly(lambda path: fault.speak(payload)) as unruly:
        sources = resolve(unruly.url) + resolve(mirror.url)
        fetched = fetch(sources, TRAIN_IMAGES, digest, tmp_path)
    assert time.monotonic() - started < SECONDS
    assert (fetched.source, fetched.content.sha256) == (mirror.url, digest)
    assert gzip.decompress(fetched.path.read_bytes()) == payload
    said = [r.getMessage() for r in caplog.records if r.name.startswith("components")]
    refusals = said[:-1]
    assert len(refusals) == 1
    assert refusals[0].startswith(f"{TRAIN_IMAGES}.gz: not from {unruly.url}: ")
    assert fault.said in refusals[0]
    assert refusals[0].isprintable()
    assert len(refusals[0]) < 400
    assert len(unruly.requests) == fault.attempts


SOME = ("status 403", "a page", "silence in the body", "a bomb", "a redirect to itself")


@pytest.mark.parametrize("name", SOME)
def test_where_there_is_no_other_mirror_the_error_is_one_line_that_says_what_to_do(
    name: str, payload: bytes, tmp_path: Path
) -> None:
    fault = EVERY[name]
    with (
        serve_unruly(lambda path: fault.speak(payload)) as unruly,
        pytest.raises(SourceError) as caught,
    ):
        fetch(resolve(unruly.url), TRAIN_IMAGES, "0" * 64, tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{TRAIN_IMAGES}.gz is not to be had. {unruly.url}: ")
    assert fault.said in text
    assert text.isprintable()
    assert text.endswith("or give another source.")


@pytest.mark.parametrize("speak", SOUND.values(), ids=SOUND.keys())
def test_an_oddity_that_does_no_harm_is_taken(
    speak: object, payload: bytes, tmp_path: Path
) -> None:
    assert callable(speak)
    digest = hashlib.sha256(payload).hexdigest()

    def say(path: str) -> Speech:
        speech: Speech = speak(payload)
        return speech

    with serve_unruly(say) as unruly:
        fetched = fetch(resolve(unruly.url), TRAIN_IMAGES, digest, tmp_path)
        assert len(unruly.requests) == 1
    assert gzip.decompress(fetched.path.read_bytes()) == payload


def test_no_flipped_bit_passes_with_another_payload(payloads: dict[str, bytes]) -> None:
    payload = payloads[TEST_LABELS]
    body = packed(payload)
    expected = hashlib.sha256(payload).hexdigest()
    taken = 0
    for bit in range(8 * len(body)):
        damaged = bytearray(body)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            content = inspect(io.BytesIO(damaged), TEST_LABELS)
        except DataError as error:
            assert str(error).isprintable()
            continue
        assert content.sha256 == expected
        taken += 1
    # What says nothing of the payload: time, system, and three flags of the gzip header.
    assert 48 <= taken <= 80


def test_no_truncation_passes(payloads: dict[str, bytes]) -> None:
    for body in (packed(payloads[TEST_LABELS]), payloads[TEST_LABELS]):
        for size in range(len(body)):
            with pytest.raises(DataError, match=r"truncated|damaged"):
                inspect(io.BytesIO(body[:size]), TEST_LABELS)


def test_what_promises_more_than_fashion_mnist_has_is_not_read(payloads: dict[str, bytes]) -> None:
    body = io.BytesIO(header(IMAGES_MAGIC, 60_001, 28, 28) + bytes(1 << 20))
    with pytest.raises(DataError, match=r"60001 examples .* expected 60000 at most"):
        inspect(body, TRAIN_IMAGES, DIGESTS[TRAIN_IMAGES])
    assert body.tell() < 1 << 17
