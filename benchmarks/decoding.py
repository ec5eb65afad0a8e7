"""Decode: against the usual loop, against unpacking alone, and on ten times the data."""

import gzip
import shutil
import struct
from collections.abc import Callable, Sequence
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
IMAGE_FILES: Final = "images"


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
    settings.say(f"decode of {TIMES} times the data")
    once = repeated(settings.raw, settings.scratch / "once", 1)
    often = repeated(settings.raw, settings.scratch / "often", TIMES)
    few, many = _in_turns(
        settings.repeats,
        lambda: _in_new_folder(settings, "sides.decode", once),
        lambda: _in_new_folder(settings, "sides.decode", often),
    )
    more = (TIMES - 1) * count_of(once)
    growth = [
        (large - small) * MIB / more for large, small in zip(_peaks(many), _peaks(few), strict=True)
    ]
    peaks = f"peak {number(_peaks(few)[0])} MiB, then {number(_peaks(many)[0])} MiB"
    return [
        ratio(
            f"decode of {TIMES} times the data: its time / that of the data once",
            _seconds(many),
            _seconds(few),
            Target(TIMES * 1.05, at_most=True),
            unit="s",
            labels=(f"{TIMES} times", "once"),
        ),
        Figure(
            f"decode of {TIMES} times the data: memory for each further example",
            growth,
            "bytes",
            Target(BYTES_AN_EXAMPLE, at_most=True),
            peaks,
        ),
    ]


def repeated(raw: Path, folder: Path, times: int) -> Path:
    """Makes a raw dataset of the given one, repeated; packed members follow one another."""
    folder.mkdir()
    for path in map(Path, _files(raw)):
        with gzip.open(path) as file:
            content = file.read()
        fields = 4 if IMAGE_FILES in path.name else 2
        magic, count, *rest = struct.unpack_from(f">{fields}I", content)
        header = struct.pack(f">{fields}I", magic, count * times, *rest)
        member = gzip.compress(content[len(header) :], 6)
        with (folder / path.name).open("wb") as packed:
            packed.write(gzip.compress(header))
            for _ in range(times):
                packed.write(member)
    return folder


def count_of(raw: Path) -> int:
    """Examples of all label files together."""
    total = 0
    for path in _files(raw):
        if IMAGE_FILES not in path:
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
