"""Ingest is killed at every write and at random moments, and several of it run at once."""

import contextlib
import gzip
import hashlib
import importlib
import itertools
import multiprocessing.connection
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from gcp_storage_emulator.storage import Storage

from components.dataset.facts import FILES
from components.ingest.digests import raw_directory
from components.ingest.landing import land
from tests.components.ingest.process import Settings, ingest
from tests.fakes.mirror import FakeMirror, serve_mirror
from tests.fakes.storage import FakeBucket, serve_emulator, serve_storage
from tests.idx_files import idx_payloads, payload_digests
from tests.soak import SECONDS, long

SETTINGS: Settings = {
    # Of the four files the training images go up in chunks, the others in one request.
    "components.dataset.bucket:BLOCK": 256 << 10,
    "google.cloud.storage.blob:_MAX_MULTIPART_SIZE": 256 << 10,
    # Whatever an earlier process left may be removed at once.
    "components.dataset.disk:STALE_SECONDS": 0.0,
}
WRITES = frozenset({"insert", "start", "chunk", "finish"})
READS = frozenset({"list", "look", "fetch"})
Commits = list[tuple[str, bytes]]


@pytest.fixture(autouse=True)
def same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in SETTINGS.items():
        module, _, name = place.partition(":")
        monkeypatch.setattr(importlib.import_module(module), name, value)


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


class Killer:
    """Watches the requests of a process, and kills it at one of these boundaries.

    Attributes:
        seen: The boundaries that were reached.
    """

    def __init__(self, at: int, operations: frozenset[str]) -> None:
        self.seen: list[str] = []
        self._at = at
        self._operations = operations
        self._victim: ForkServerProcess | None = None
        self._known = threading.Event()
        self._lock = threading.Lock()

    def aim(self, process: ForkServerProcess) -> None:
        """Says which process it is."""
        self._victim = process
        self._known.set()

    def __call__(self, operation: str, moment: str) -> None:
        if operation not in self._operations:
            return
        with self._lock:
            self.seen.append(f"{moment} {operation}")
            if len(self.seen) != self._at + 1:
                return
        assert self._known.wait(10)
        assert self._victim is not None
        kill(self._victim)


def kill(process: ForkServerProcess) -> None:
    """Ends a process as a power cut does, and waits until it is gone."""
    process.kill()
    assert multiprocessing.connection.wait([process.sentinel], 10)


def check_only_right(committed: Commits, digests: Mapping[str, str]) -> None:
    """Checks that whatever has appeared is one of the four objects, right, and appeared once."""
    home = raw_directory("home", digests)
    for path, content in committed:
        name = path.removeprefix(f"{home}/").removesuffix(".gz")
        assert hashlib.sha256(gzip.decompress(content)).hexdigest() == digests[name]
    names = [path for path, _ in committed]
    assert len(names) == len(set(names))


def check_all_there(committed: Commits, digests: Mapping[str, str]) -> None:
    """Checks that the four objects have appeared, each once and right."""
    check_only_right(committed, digests)
    home = raw_directory("home", digests)
    assert sorted(path for path, _ in committed) == sorted(f"{home}/{name}.gz" for name in FILES)


def run_again(
    mirror: FakeMirror, digests: dict[str, str], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs ingest to its end in this process; checks that no scratch is left, of either."""
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    landed = land("gs://bucket/home", mirror.url, digests, allow_unverified=False)
    assert landed.metadata["digests"] == digests
    assert {path.name for path in scratch.iterdir()} <= {"log.txt"}


def attack(
    fake: FakeBucket, mirror: FakeMirror, digests: dict[str, str], killer: Killer, scratch: Path
) -> bool:
    """Runs ingest until it is killed, or to its end; whether it was killed."""
    fake.watch = mirror.watch = killer
    with ingest(fake.host, mirror.url, digests, scratch, SETTINGS) as process:
        killer.aim(process)
        process.join(60)
        assert process.exitcode in (0, -signal.SIGKILL), (scratch / "log.txt").read_text()
    fake.watch = mirror.watch = lambda operation, moment: None
    return process.exitcode != 0


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param(WRITES, id="writes"),
        pytest.param(
            WRITES | READS, id="requests", marks=[pytest.mark.soak, pytest.mark.timeout(SECONDS)]
        ),
    ],
)
def test_killed_at_each_boundary_nothing_wrong_lands_and_the_next_run_completes(
    operations: frozenset[str],
    mirror: FakeMirror,
    digests: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boundaries = []
    for at in itertools.count():
        scratch = tmp_path / str(at)
        with serve_storage() as fake:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
            killer = Killer(at, operations)
            if not attack(fake, mirror, digests, killer, scratch):
                break
            check_only_right(fake.committed, digests)
            run_again(mirror, digests, scratch, monkeypatch)
            check_all_there(fake.committed, digests)
            assert fake.objects == dict(fake.committed)
        boundaries.append(killer.seen[at])
    moments = ("before", "within", "after")
    expected = {f"{moment} {operation}" for moment in moments for operation in operations & WRITES}
    assert expected <= set(boundaries)
    assert len(boundaries) >= 3 * (3 + 1 + 2 + 1)


@contextlib.contextmanager
def emulated(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Commits]]:
    """The bucket of a local run; yields its host and what appears in it."""
    committed: Commits = []
    create = Storage.create_file

    def note(self: Storage, bucket: str, name: str, content: bytes, *more: Any) -> None:
        committed.append((name, content))
        create(self, bucket, name, content, *more)

    monkeypatch.setattr(Storage, "create_file", note)
    with serve_emulator(directory) as host:
        yield host, committed
    monkeypatch.setattr(Storage, "create_file", create)


@contextlib.contextmanager
def faked() -> Iterator[tuple[str, Commits]]:
    with serve_storage() as fake:
        yield fake.host, fake.committed


@pytest.mark.parametrize(
    ("kind", "times"),
    [("fake", 20), ("emulator", 8), long("fake", 200), long("emulator", 200)],
)
def test_killed_at_random_moments_nothing_wrong_lands_and_the_next_run_completes(
    kind: str,
    times: int,
    mirror: FakeMirror,
    digests: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = random.Random(6)
    whole = 1.0
    killed = 0
    for turn in itertools.count():
        scratch = tmp_path / f"scratch-{turn}"
        serve = faked() if kind == "fake" else emulated(tmp_path / f"bucket-{turn}", monkeypatch)
        with serve as (host, committed):
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
            started = time.monotonic()
            with ingest(host, mirror.url, digests, scratch, SETTINGS) as process:
                process.join(moments.uniform(0, whole))
                kill(process)
                process.join()
            if process.exitcode == 0:
                # It was faster: the next ones are killed earlier.
                whole = min(whole, time.monotonic() - started)
            killed += process.exitcode == -signal.SIGKILL
            check_only_right(committed, digests)
            run_again(mirror, digests, scratch, monkeypatch)
            check_all_there(committed, digests)
        if killed == times:
            return


@pytest.mark.parametrize("together", [2, 4])
@pytest.mark.parametrize("times", [2, long(25)])
def test_several_at_once_from_different_mirrors_leave_one_set_of_objects(
    times: int,
    together: int,
    payloads: dict[str, bytes],
    digests: dict[str, str],
    tmp_path: Path,
) -> None:
    for turn in range(times):
        with contextlib.ExitStack() as stack:
            fake = stack.enter_context(serve_storage())
            mirrors = [stack.enter_context(serve_packed(payloads, n)) for n in range(together)]
            processes = [
                stack.enter_context(
                    ingest(fake.host, one.url, digests, tmp_path / f"{turn}-{n}", SETTINGS)
                )
                for n, one in enumerate(mirrors)
            ]
            for n, process in enumerate(processes):
                process.join(120)
                log = tmp_path / f"{turn}-{n}" / "log.txt"
                assert process.exitcode == 0, log.read_text()
            check_all_there(fake.committed, digests)


@pytest.mark.parametrize("times", [2, long(25)])
def test_one_that_is_killed_does_not_hinder_another(
    times: int, payloads: dict[str, bytes], digests: dict[str, str], tmp_path: Path
) -> None:
    moments = random.Random(7)
    for turn in range(times):
        with (
            serve_storage() as fake,
            serve_packed(payloads, 0) as first,
            serve_packed(payloads, 1) as second,
            ingest(fake.host, first.url, digests, tmp_path / f"{turn}-0", SETTINGS) as victim,
            ingest(fake.host, second.url, digests, tmp_path / f"{turn}-1", SETTINGS) as other,
        ):
            victim.join(moments.uniform(0, 0.5))
            kill(victim)
            check_only_right(fake.committed, digests)
            other.join(120)
            assert other.exitcode == 0, (tmp_path / f"{turn}-1" / "log.txt").read_text()
            check_all_there(fake.committed, digests)
