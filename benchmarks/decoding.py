"""Decode: against the usual loop, and against unpacking alone."""

import shutil
from pathlib import Path

from components.dataset.facts import FILES

from .figure import Figure, Target, ratio
from .process import Usage, in_turns, module, peaks, run, seconds
from .settings import Settings


def measure(settings: Settings) -> list[Figure]:
    """The rows of decode."""
    settings.say("decode against the naive TensorFlow loop and gzip")
    packed = [str(settings.raw / f"{name}.gz") for name in FILES]
    steps, loops, unpacked = in_turns(
        settings.repeats,
        lambda: in_new_folder(settings, "sides.decode", settings.raw),
        lambda: in_new_folder(settings, "peers.naive_records", settings.raw),
        lambda: run(["gzip", "-dc", *packed], discard=True),
    )
    return [
        ratio(
            "decode of 70,000 images, whole process: time of the naive TensorFlow loop / ours",
            seconds(loops),
            seconds(steps),
            Target(10),
            unit="s",
            labels=("loop", "ours"),
        ),
        ratio(
            "decode, peak memory: ours / naive TensorFlow loop's",
            peaks(steps),
            peaks(loops),
            Target(1 / 4, at_most=True),
            unit="MiB",
            labels=("ours", "loop"),
        ),
        ratio(
            "decode, whole process: our time / that of gzip -dc of the same files",
            seconds(steps),
            seconds(unpacked),
            Target(2, at_most=True),
            unit="s",
            labels=("ours", "gzip"),
        ),
    ]


def in_new_folder(settings: Settings, name: str, raw: Path) -> Usage:
    """Runs a module with ``raw`` and an empty folder to write to."""
    out = settings.scratch / "out"
    shutil.rmtree(out, ignore_errors=True)
    return module(name, raw, out)
