import gzip
import itertools
import logging
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import FILES, TRAIN_IMAGES, TRAIN_LABELS
from components.ingest import fetch as fetching
from components.ingest import mirror as mirrors
from components.ingest.fetch import Fetched, fetch
from tests.fakes.mirror import FakeMirror, Speech, answer, serve_mirror
from tests.idx_files import IMAGES_MAGIC, described, header

FILE = f"{TRAIN_IMAGES}.gz"
DIGITS = header(IMAGES_MAGIC, 60, 28, 28) + bytes(60 * 784)
PAGE = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
CHUNKED = "Transfer-Encoding: chunked"
ATTEMPTS = 3


@pytest.fixture(autouse=True)
def small_limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_EXAMPLES", 3000)
    if "silence" in request.node.name:
        monkeypatch.setattr(mirrors, "READ_SECONDS", 0.3)
    if "trickle" in request.node.name:
        monkeypatch.setattr(mirrors, "TOTAL_SECONDS", 0.5)


@pytest.fixture
def payload(payloads: dict[str, bytes]) -> bytes:
    return payloads[TRAIN_IMAGES]


@pytest.fixture
def digest(digests: dict[str, str]) -> str:
    return digests[TRAIN_IMAGES]


def packed(payload: bytes) -> bytes:
    return gzip.compress(payload, 1, mtime=0)


def fetch_from(digest: str, scratch: Path, *urls: str) -> Fetched:
    """Fetches the training images from the first mirror that has them."""
    return fetch(list(urls), TRAIN_IMAGES, described(dict.fromkeys(FILES, digest)), scratch)


def whole(body: bytes, *fields: str) -> Callable[[bytes], Speech]:
    return lambda payload: [answer(body, *fields)]


def status(text: str) -> Callable[[bytes], Speech]:
    return lambda payload: [answer(PAGE, status=text)]


def redirect(target: str) -> Callable[[bytes], Speech]:
    return lambda payload: [answer(b"", f"Location: {target}", status="302 Found")]


def endless(body: bytes) -> Callable[[bytes], Speech]:
    return lambda payload: itertools.chain([answer(body, length=False)], itertools.repeat(body))


def cut(size: int, *rest: float | None) -> Callable[[bytes], Speech]:
    """The answer with its full length announced ends after ``size`` bytes."""
    return lambda payload: [answer(packed(payload))[:size], *rest]


FAULTS: dict[str, tuple[Callable[[bytes], Speech], str, int]] = {
    "status 404": (status("404 Not Found"), "HTTP 404", 2),
    "status 429": (status("429 Slow Down"), "HTTP 429", ATTEMPTS),
    "status 503": (status("503 Busy"), "HTTP 503", ATTEMPTS),
    "a reason for the terminal": (status("403 \x1b[31m" + "no " * 9999), "HTTP 403", 1),
    "no HTTP": (lambda payload: [b"220 ftp ready\r\n"], "no connection", ATTEMPTS),
    "reset before the answer": (lambda payload: [None], "no connection", ATTEMPTS),
    "silence before the answer": (lambda payload: [3.0], "timed out", ATTEMPTS),
    "cut in the body": (cut(900), "connection lost after", ATTEMPTS),
    "silence in the body": (cut(900, 3.0), "timed out", ATTEMPTS),
    "two lengths": (
        lambda payload: [answer(b"", "Content-Length: 5", "Content-Length: 6", length=False)],
        "unusable address or answer",
        1,
    ),
    "a trickle": (
        lambda payload: itertools.chain([answer(b"", length=False)], [b"\0", 0.05] * 20),
        "too slow",
        1,
    ),
    "an announced length beyond every file": (
        lambda payload: [answer(PAGE, f"Content-Length: {10**400}", length=False)],
        "too large",
        1,
    ),
    "a body without end": (endless(bytes(1 << 16)), "too large", 1),
    "a page": (whole(PAGE), "not the IDX file", 1),
    "packed twice": (lambda payload: [answer(packed(packed(payload)))], "not the IDX file", 1),
    "too many images": (whole(header(IMAGES_MAGIC, 2**32 - 1, 28, 28)), "4294967295 examples", 1),
    "digits": (whole(packed(DIGITS)), "another dataset under the same name", 1),
    "a bomb": (
        whole(gzip.compress(header(IMAGES_MAGIC, 3000, 28, 28) + bytes(1 << 26), 9)),
        "trailing bytes",
        1,
    ),
    "a redirect to a file": (redirect("file:///etc/passwd"), "unusable address", 1),
    "a redirect to itself": (redirect(FILE), "more than 5 redirects", 6),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_mirror_is_left_for_the_next_with_one_line_that_says_why(
    name: str,
    mirror: FakeMirror,
    payload: bytes,
    digest: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    speak, said, attempts = FAULTS[name]
    caplog.set_level(logging.INFO, logger="components")
    with serve_mirror() as bad:
        bad.speeches[FILE] = [list(speak(payload)) if "without end" not in name else speak(payload)]
        tracemalloc.start()
        fetched = fetch_from(digest, tmp_path, bad.url, mirror.url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (fetched.source, fetched.content.sha256) == (mirror.url, digest)
    assert gzip.decompress(fetched.path.read_bytes()) == payload
    refusal, success = (r.getMessage() for r in caplog.records if r.name.startswith("components"))
    assert refusal.startswith(f"{FILE}: not from {bad.url}: ")
    assert said in refusal
    assert refusal.isprintable() and len(refusal) < 400
    assert f"from {mirror.url}" in success
    assert len(bad.requests) == attempts
    assert peak < 16 << 20


SOUND: dict[str, Callable[[bytes], Speech]] = {
    "chunks": lambda payload: [
        answer(b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed(payload)), packed(payload)), CHUNKED,
               length=False)
    ],
    "no length": lambda payload: [answer(packed(payload), length=False)],
    "an encoding that it does not have": lambda payload: [
        answer(packed(payload), "Content-Encoding: br")
    ],
}  # fmt: skip


@pytest.mark.parametrize("speak", SOUND.values(), ids=SOUND.keys())
def test_a_harmless_oddity_is_accepted(
    speak: Callable[[bytes], Speech], payload: bytes, digest: str, tmp_path: Path
) -> None:
    with serve_mirror() as odd:
        odd.speeches[FILE] = [speak(payload)]
        assert fetch_from(digest, tmp_path, odd.url).source == odd.url
        assert len(odd.requests) == 1


def test_a_failure_that_passes_is_overcome_by_trying_again(
    mirror: FakeMirror, files: dict[str, bytes], digest: str, tmp_path: Path
) -> None:
    sound = answer(files[FILE])
    mirror.speeches[FILE] = [[answer(b"", status="500 No")], [sound[:300], None], [sound]]
    fetched = fetch_from(digest, tmp_path, mirror.url)
    assert fetched.path.read_bytes() == files[FILE]
    assert fetched.content.examples == 60
    assert len(mirror.requests) == 3


def test_redirects_are_followed(mirror: FakeMirror, digest: str, tmp_path: Path) -> None:
    with serve_mirror() as first:
        first.speeches[FILE] = [redirect("/other/place")(b"")]
        first.speeches["place"] = [redirect(f"{mirror.url}{FILE}")(b"")]
        assert fetch_from(digest, tmp_path, first.url).source == first.url
        assert first.requests == [f"/{FILE}", "/other/place"]


def test_a_mirror_that_is_down_is_not_asked_for_further_files(
    mirror: FakeMirror, digests: dict[str, str], tmp_path: Path
) -> None:
    with serve_mirror() as gone:
        pass
    sources = [gone.url, mirror.url]
    for name in (TRAIN_IMAGES, TRAIN_LABELS):
        assert fetch(sources, name, described(digests), tmp_path).source == mirror.url
        assert sources == [mirror.url]


def test_when_all_fail_the_error_says_what_happened_at_each_and_what_to_do(
    digest: str, tmp_path: Path
) -> None:
    with (
        serve_mirror() as first,
        serve_mirror({FILE: PAGE}) as second,
        pytest.raises(SourceError) as caught,
    ):
        fetch_from(digest, tmp_path, first.url, second.url)
    text = str(caught.value)
    assert f"{first.url}: HTTP 404" in text
    assert f"{second.url}: {FILE} is not the IDX file" in text
    assert text.isprintable() and text.endswith("or give another source.")


def test_a_plain_file_is_compressed_to_equal_bytes_without_a_time(
    payload: bytes, digest: str, tmp_path: Path
) -> None:
    with serve_mirror({TRAIN_IMAGES: payload}) as plain:
        first = fetch_from(digest, tmp_path, plain.url).path.read_bytes()
        assert fetch_from(digest, tmp_path, plain.url).path.read_bytes() == first
    assert gzip.decompress(first) == payload
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert first[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("variable", "terminal", "end"), [("", False, ""), ("1", False, "MB\r"), ("", True, "\x1b[K")]
)
def test_progress_is_shown_where_somebody_watches(
    variable: str,
    terminal: bool,
    end: str,
    mirror: FakeMirror,
    digest: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FASHION_MNIST_PROGRESS", variable)
    monkeypatch.setattr(mirrors, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    fetch_from(digest, tmp_path, mirror.url)
    shown = capsys.readouterr().out
    assert shown.endswith(end)
    assert shown.startswith(f"{FILE} 0.0 of 0.0 MB\r" if end else end)
    assert bool(shown) is bool(end)
