"""Decode and training on ten times the data: their time, and the memory that they take."""

import gzip
import shutil
import statistics
import struct
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from components.dataset.facts import TEST_LABELS, TRAIN_LABELS

from .decoding import in_new_folder
from .figure import Figure, Target, number, ratio
from .process import MIB, Usage, in_turns, module, peaks, run_module, seconds
from .settings import Settings

BYTES_AN_EXAMPLE: Final = 16
"""What decode may hold for each example; see ``components.decode.conversion``."""
TIMES: Final = 10
LINEAR: Final = Target(TIMES * 1.05, at_most=True)
TRAINER: Final = "components.train.trainer.task"
TRAINING_REPEATS: Final = 3
"""At most; a training run on ten times the data takes minutes."""
RECORDS_IN_MEMORY: Final = 256
"""MiB of records that training may hold; see ``components.train.trainer.input_pipeline``."""


def measure(settings: Settings) -> list[Figure]:
    """The rows of decode and training; the larger data are made here."""
    sets = {times: settings.scratch / f"times-{times}" for times in (1, TIMES, 2 * TIMES)}
    for times, raw in sets.items():
        # In a process of its own, for the sake of this one's size: see ``run``.
        module("sides.repeat", settings.raw, raw, times)
    return [*_decode(settings, sets), *_training(settings, sets)]


def _decode(settings: Settings, sets: dict[int, Path]) -> list[Figure]:
    settings.say(f"decode of {TIMES} and {2 * TIMES} times the data")
    few, many, twice = in_turns(
        settings.repeats,
        *(partial(in_new_folder, settings, "sides.decode", raw) for raw in sets.values()),
    )
    return [
        ratio(
            f"decode of {TIMES} times the data: its time / the time of the data once",
            seconds(many),
            seconds(few),
            LINEAR,
            unit="s",
            labels=(f"{TIMES} times", "once"),
        ),
        memory_growth(peaks(few), peaks(many), peaks(twice), TIMES * count_of(sets[1])),
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
    for name in (TRAIN_LABELS, TEST_LABELS):
        with gzip.open(raw / f"{name}.gz") as file:
            total += struct.unpack(">2I", file.read(8))[1]
    return total


def _training(settings: Settings, sets: dict[int, Path]) -> list[Figure]:
    settings.say(f"an epoch of training on {TIMES} times the data")
    records = {times: settings.scratch / f"records-{times}" for times in (1, TIMES)}
    for times, folder in records.items():
        module("sides.decode", sets[times], folder)
    few, many = in_turns(
        min(settings.repeats, TRAINING_REPEATS),
        *(partial(_epoch, settings, folder) for folder in records.values()),
    )
    once, more = statistics.median(peaks(few)), statistics.median(peaks(many))
    return [
        ratio(
            f"an epoch of training on {TIMES} times the data, streamed: its time / once",
            seconds(many),
            seconds(few),
            LINEAR,
            unit="s",
            labels=(f"{TIMES} times", "once"),
        ),
        Figure(
            f"training on {TIMES} times the data, streamed: peak memory above that of once",
            [large - small for large, small in zip(peaks(many), peaks(few), strict=True)],
            "MiB",
            Target(RECORDS_IN_MEMORY, at_most=True),
            f"peak {number(once)} MiB once, {number(more)} MiB {TIMES} times",
        ),
    ]


def _epoch(settings: Settings, records: Path) -> Usage:
    job = settings.scratch / "job"
    shutil.rmtree(job, ignore_errors=True)
    length = ["--train-steps", "4"] if settings.quick else ["--epochs", "1"]
    files = ["--train-files", f"{records}/train/*.tfrecord"]
    files += ["--eval-files", f"{records}/validation/*.tfrecord"]
    return run_module(TRAINER, *files, "--job-dir", job, "--preset", "fast", *length)
