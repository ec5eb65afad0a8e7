"""Ingest as a process that is killed at every write and at random moments, and several at once."""

import contextlib
import dataclasses
import gzip
import hashlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from components.dataset import bucket
from components.dataset.description import NAME, Description
from components.dataset.facts import FILES
from components.ingest.landing import land, raw_directory
from tests.fakes.mirror import FakeMirror, serve_mirror
from tests.fakes.storage import serve_storage
from tests.idx_files import described, idx_payloads, payload_digests
from tests.soak import SECONDS, long

BLOCK = 256 << 10
"""Of the four files the training images are uploaded in chunks, the others in one request."""
# A process is forked from one that has loaded everything, so it starts in milliseconds.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__, "google.cloud.storage"])
WRITES = frozenset({"insert", "start", "chunk", "finish"})
READS = frozenset({"list", "look", "fetch"})
Commits = list[tuple[str, bytes]]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "BLOCK", BLOCK)
    monkeypatch.setattr("google.cloud.storage.blob._MAX_MULTIPART_SIZE", BLOCK)


@pytest.fixture(scope="module")
def payloads() -> dict[str, bytes]:
    return idx_payloads(train_per_class=100, test_per_class=20)


@pytest.fixture(scope="module")
def digests(payloads: dict[str, bytes]) -> dict[str, str]:
    return payload_digests(payloads)


@pytest.fixture
def mirror(payloads: dict[str, bytes]) -> Iterator[FakeMirror]:
    with serve_packed(payloads, 0) as mirror:
        yield mirror


def serve_packed(
    payloads: Mapping[str, bytes], level: int
) -> contextlib.AbstractContextManager[FakeMirror]:
    """A mirror that compressed its files in its own way."""
    return serve_mirror({f"{name}.gz": gzip.compress(p, level) for name, p in payloads.items()})


@contextlib.contextmanager
def ingest(
    host: str, source: str, digests: Mapping[str, str], scratch: Path
) -> Iterator[ForkServerProcess]:
    """Runs ``land`` into ``gs://bucket/home`` in a process; kills it where the block ends first."""
    scratch.mkdir(parents=True, exist_ok=True)
    arguments = (host, source, dict(digests), str(scratch))
    process = CONTEXT.Process(target=_land, args=arguments, daemon=True)
    process.start()
    try:
        yield process
    finally:
        kill(process)


def _land(host: str, source: str, digests: dict[str, str], scratch: str) -> None:
    from google.cloud.storage import blob

    bucket.BLOCK = blob._MAX_MULTIPART_SIZE = BLOCK  # type: ignore[misc]
    os.environ["STORAGE_EMULATOR_HOST"] = host
    tempfile.tempdir = scratch
    sys.stderr = Path(scratch, "log.txt").open("w")  # noqa: SIM115
    land("gs://bucket/home", source, described(digests).as_dict(), allow_unverified=False)


def home_of(digests: Mapping[str, str]) -> str:
    return raw_directory("home", dataclasses.replace(described(digests), verified=True))


def kill(process: ForkServerProcess) -> None:
    process.kill()
    assert multiprocessing.connection.wait([process.sentinel], 10)
    process.join()


class Killer:
    """Watches the requests of a process, and kills it at one of these boundaries."""

    def __init__(self, at: int, operations: frozenset[str]) -> None:
        self.seen: list[str] = []
        self._at = at
        self._operations = operations
        self._victim: ForkServerProcess | None = None
        self._known = threading.Event()
        self._lock = threading.Lock()

    def aim(self, process: ForkServerProcess) -> None:
        self._victim = process
        self._known.set()

    def __call__(self, operation: str, moment: str) -> None:
        if operation not in self._operations:
            return
        with self._lock:
            self.seen.append(f"{moment} {operation}")
            if len(self.seen) != self._at + 1:
                return
        assert self._known.wait(10) and self._victim is not None
        self._victim.kill()
        assert multiprocessing.connection.wait([self._victim.sentinel], 10)


def check_only_right(committed: Commits, digests: Mapping[str, str]) -> None:
    """Checks that each object that has appeared is one of the five, right, and appeared once."""
    home = home_of(digests)
    for path, content in committed:
        if path == f"{home}/{NAME}":
            assert Description.parse(content, path).digests == digests
            continue
        name = path.removeprefix(f"{home}/").removesuffix(".gz")
        assert hashlib.sha256(gzip.decompress(content)).hexdigest() == digests[name]
    names = [path for path, _ in committed]
    assert len(names) == len(set(names))


def check_all_there(committed: Commits, digests: Mapping[str, str]) -> None:
    check_only_right(committed, digests)
    home = home_of(digests)
    names = [NAME, *(f"{name}.gz" for name in FILES)]
    assert sorted(path for path, _ in committed) == sorted(f"{home}/{name}" for name in names)


def run_again(mirror: FakeMirror, digests: dict[str, str]) -> None:
    landed = land(
        "gs://bucket/home", mirror.url, described(digests).as_dict(), allow_unverified=False
    )
    assert landed.metadata["digests"] == digests


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param(WRITES, id="writes"),
        pytest.param(
            WRITES | READS, id="requests", marks=[pytest.mark.soak, pytest.mark.timeout(SECONDS)]
        ),
    ],
)
def test_killed_at_each_boundary_nothing_wrong_appears_and_the_next_run_completes(
    operations: frozenset[str],
    mirror: FakeMirror,
    digests: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boundaries = []
    for at in itertools.count():
        killer = Killer(at, operations)
        with serve_storage() as fake:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
            fake.watch = mirror.watch = killer
            with ingest(fake.host, mirror.url, digests, tmp_path / str(at)) as process:
                killer.aim(process)
                process.join(60)
                code = process.exitcode
            fake.watch = mirror.watch = lambda operation, moment: None
            if code == 0:
                break
            assert code == -signal.SIGKILL, (tmp_path / str(at) / "log.txt").read_text()
            check_only_right(fake.committed, digests)
            run_again(mirror, digests)
            check_all_there(fake.committed, digests)
        boundaries.append(killer.seen[at])
    moments = ("before", "within", "after")
    assert {f"{moment} {operation}" for moment in moments for operation in WRITES} <= set(
        boundaries
    )
    assert len(boundaries) >= 3 * (3 + 1 + 2 + 1)


@pytest.mark.parametrize("one_is_killed", [False, True])
@pytest.mark.parametrize("times", [1, long(25)])
def test_several_at_once_from_different_mirrors_leave_one_set_of_objects(
    times: int,
    one_is_killed: bool,
    payloads: dict[str, bytes],
    digests: dict[str, str],
    tmp_path: Path,
) -> None:
    moments = random.Random(7)
    for turn in range(times):
        with contextlib.ExitStack() as stack:
            fake = stack.enter_context(serve_storage())
            mirrors = [stack.enter_context(serve_packed(payloads, level)) for level in range(3)]
            scratch = [tmp_path / f"{turn}-{number}" for number in range(3)]
            processes = [
                stack.enter_context(ingest(fake.host, one.url, digests, directory))
                for one, directory in zip(mirrors, scratch, strict=True)
            ]
            if one_is_killed:
                processes[0].join(moments.uniform(0, 0.5))
                kill(processes[0])
                check_only_right(fake.committed, digests)
            for process, directory in list(zip(processes, scratch, strict=True))[one_is_killed:]:
                process.join(120)
                assert process.exitcode == 0, (directory / "log.txt").read_text()
            check_all_there(fake.committed, digests)
