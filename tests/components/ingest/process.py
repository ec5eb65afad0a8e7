"""Ingest as a process of its own, that a test can kill and whose memory it can see.

The processes are forked from one that has loaded everything, so a new one takes milliseconds.
"""

import contextlib
import importlib
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

CONTEXT: Final = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["components.ingest.landing", "google.cloud.storage", "requests", "tests.idx_files"]
)
Settings = Mapping[str, Any]
"""Values of constants, by ``package.module:NAME``."""

FAILED: Final = 1
"""The exit code after an error that the step foresaw."""


@contextlib.contextmanager
def ingest(
    host: str, source: str, digests: Mapping[str, str], scratch: Path, settings: Settings
) -> Iterator[ForkServerProcess]:
    """Runs ``land`` into ``gs://bucket/home`` in a process; kills it where the block ends first.

    Args:
        host: The value for ``STORAGE_EMULATOR_HOST``.
        source: See ``sources.resolve``.
        digests: The digests to verify by.
        scratch: What the process has as ``TMPDIR``; its standard error goes to ``log.txt`` there.
        settings: Constants to change in it.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    arguments = (host, source, dict(digests), str(scratch), dict(settings))
    process = CONTEXT.Process(target=_land, args=arguments, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def peaks(work: Callable[..., object], calls: Mapping[str, tuple[Any, ...]]) -> dict[str, int]:
    """Calls a function of a module several times in one process of its own.

    Returns:
        Bytes by which the process' peak memory grew in each call, by the call's name.
    """
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_measure, args=(sender, work, dict(calls)), daemon=True)
    process.start()
    try:
        assert receiver.poll(300), "it did not end"
        grown: dict[str, int] = receiver.recv()
        return grown
    finally:
        process.kill()
        process.join()


def _measure(
    sender: Any, work: Callable[..., object], calls: Mapping[str, tuple[Any, ...]]
) -> None:
    grown = {}
    for name, arguments in calls.items():
        before = _peak()
        work(*arguments)
        grown[name] = _peak() - before
    sender.send(grown)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _land(
    host: str, source: str, digests: dict[str, str], scratch: str, settings: Settings
) -> None:
    from components.dataset.errors import StepError
    from components.ingest.landing import land

    os.environ["STORAGE_EMULATOR_HOST"] = host
    tempfile.tempdir = scratch
    log = os.open(Path(scratch, "log.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    apply(settings)
    try:
        land("gs://bucket/home", source, digests, allow_unverified=False)
    except StepError as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        sys.exit(FAILED)


def apply(settings: Settings) -> None:
    """Changes constants."""
    for place, value in settings.items():
        module, _, name = place.partition(":")
        setattr(importlib.import_module(module), name, value)
