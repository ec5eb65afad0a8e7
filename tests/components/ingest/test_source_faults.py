"""Every fault of a mirror: the next one is used, and one line says why, in bounded time."""

import gzip
import hashlib
import logging
import time
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import TRAIN_IMAGES
from components.ingest import connection
from components.ingest import mirror as mirrors
from components.ingest.fetch import fetch
from components.ingest.sources import resolve
from tests.components.ingest.source_faults import EVERY, SOUND, Fault
from tests.fakes.mirror import FakeMirror
from tests.fakes.unruly import Speech, serve_unruly

SECONDS = 10.0
"""What a fault may take at the bounds below, on a machine that is busy."""


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "READ_SECONDS", 0.3)
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.3)
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
def test_an_oddity_that_does_no_harm_is_taken(speak: object, payload: bytes, tmp_path: Path) -> None:
    assert callable(speak)
    digest = hashlib.sha256(payload).hexdigest()

    def say(path: str) -> Speech:
        speech: Speech = speak(payload)
        return speech

    with serve_unruly(say) as unruly:
        fetched = fetch(resolve(unruly.url), TRAIN_IMAGES, digest, tmp_path)
        assert len(unruly.requests) == 1
    assert gzip.decompress(fetched.path.read_bytes()) == payload
