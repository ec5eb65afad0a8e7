"""Decode: against the usual loop, against unpacking alone, and on ten times the data."""

import gzip
import shutil
import statistics
import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from components.dataset.facts import FILES

from .figure import Figure, Target, number, ratio
from .process import Usage, module, run
from .settings import Settings

MIB: Final = 2**20
BYTES_AN_EXAMPLE: Final = 16
"""What decode may hold for each example; see ``components.decode.conversion``."""
TIMES: Final = 10


def measure(settings: Settings) -> list[Figure]:
    """The rows of decode."""
    settings.say("decode against the naive TensorFlow loop and gzip")
    steps, loops, unpacked = _in_turns(
        settings.repeats,
        lambda: _in_new_folder(settings, "sides.decode", settings.raw),
        lambda: _in_new_folder(settings, "peers.naive_records", settings.raw),
        lambda: run(["gzip", "-dc", *_files(settings.raw)], discard=True),
    )
    return [
        ratio(
            "decode of 70,000 images, whole process: time of the naive TensorFlow loop / ours",
            _seconds(loops),
            _seconds(steps),
            Target(10),
            unit="s",
            labels=("loop", "ours"),
        ),
        ratio(
            "decode, peak memory: ours / naive TensorFlow loop's",
            _peaks(steps),
            _peaks(loops),
            Target(1 / 4, at_most=True),
            unit="MiB",
            labels=("ours", "loop"),
        ),
        ratio(
            "decode, whole process: our time / that of gzip -dc of the same files",
            _seconds(steps),
            _seconds(unpacked),
            Target(2, at_most=True),
            unit="s",
            labels=("ours", "gzip"),
        ),
        *_scaling(settings),
    ]


def _scaling(settings: Settings) -> list[Figure]:
    settings.say(f"decode of {TIMES} and {2 * TIMES} times the data")
    sets = [settings.scratch / f"times-{times}" for times in (1, TIMES, 2 * TIMES)]
    # In processes of their own, for the sake of this one's size: see ``run``.
    for raw, times in zip(sets, (1, TIMES, 2 * TIMES), strict=True):
        module("sides.repeat", settings.raw, raw, times)
    few, many, twice = _in_turns(
        settings.repeats, *(partial(_in_new_folder, settings, "sides.decode", raw) for raw in sets)
    )
    return [
        ratio(
            f"decode of {TIMES} times the data: its time / that of the data once",
            _seconds(many),
            _seconds(few),
            Target(TIMES * 1.05, at_most=True),
            unit="s",
            labels=(f"{TIMES} times", "once"),
        ),
        memory_growth(_peaks(few), _peaks(many), _peaks(twice), TIMES * count_of(sets[0])),
    ]


def memory_growth(
    few: Sequence[float], many: Sequence[float], twice: Sequence[float], further: int
) -> Figure:
    """What decode holds for an example more, where its buffers are full already.

    Args:
        few: Peaks in MiB for the data once, which does not fill every buffer.
        many: For ``TIMES`` as much.
        twice: For twice that.
        further: Examples that the last has more than the one before.
    """
    growth = [(large - small) * MIB / further for large, small in zip(twice, many, strict=True)]
    once, more, most = (number(statistics.median(peaks)) for peaks in (few, many, twice))
    return Figure(
        f"decode, from {TIMES} to {2 * TIMES} times the data: memory for each further example",
        growth,
        "bytes",
        Target(BYTES_AN_EXAMPLE, at_most=True),
        f"peak {once} MiB once, {more} MiB {TIMES} times, {most} MiB {2 * TIMES} times",
    )


def count_of(raw: Path) -> int:
    """Examples of all label files together."""
    total = 0
    for path in _files(raw):
        if "images" not in path:
            with gzip.open(path) as file:
                total += struct.unpack(">2I", file.read(8))[1]
    return total


def _files(raw: Path) -> list[str]:
    return [str(raw / f"{name}.gz") for name in FILES]


def _in_new_folder(settings: Settings, name: str, raw: Path) -> Usage:
    out = settings.scratch / "out"
    shutil.rmtree(out, ignore_errors=True)
    return module(name, raw, out)


def _in_turns(repeats: int, *sides: Callable[[], Usage]) -> list[list[Usage]]:
    """Runs the sides one after another, ``repeats`` times, after one round that warms up."""
    rounds = [[side() for side in sides] for _ in range(repeats + 1)]
    return [list(column) for column in zip(*rounds[1:], strict=True)]


def _seconds(usages: Sequence[Usage]) -> list[float]:
    return [usage.seconds for usage in usages]


def _peaks(usages: Sequence[Usage]) -> list[float]:
    return [usage.peak / MIB for usage in usages]
