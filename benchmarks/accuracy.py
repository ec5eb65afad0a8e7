"""Accuracy for time: every preset and every peer, several seeds, the test set once for each."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .figure import Figure, Target, number, ratio
from .process import module
from .settings import Settings

THRESHOLD: Final = 0.92
"""Validation accuracy, the time to which is compared."""
PRESETS: Final = ("fast", "default", "best")
PEERS: Final = {"mlp": "128-unit MLP, Adam", "cnn": "Keras guide's CNN, Adam"}
TARGETS: Final = {
    "default": (Target(0.937), Target(150, at_most=True)),
    "best": (Target(0.945), Target(900, at_most=True)),
}
PEER_EPOCHS: Final = {"mlp": 10, "cnn": 20}
QUICK: Final = ("--train-steps", "4")


@dataclass(frozen=True)
class Trained:
    """A training run.

    Attributes:
        who: The preset, or the peer.
        seed: Of the run.
        curve: Seconds of training so far, and the validation accuracy then.
        seconds: Of training in all: tracing included, validation not.
        test_accuracy: On the official test examples.
        flops: Floating-point operations each second; 0 for a peer.
    """

    who: str
    seed: int
    curve: Sequence[tuple[float, float]]
    seconds: float
    test_accuracy: float
    flops: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return dataclasses.asdict(self)

    def seconds_to(self, accuracy: float) -> float | None:
        """Training time until the validation accuracy was first reached; None if never."""
        return next((seconds for seconds, reached in self.curve if reached >= accuracy), None)


def measure(settings: Settings) -> tuple[list[Figure], list[Trained]]:
    """The rows, and the runs that they were made from."""
    runs: list[Trained] = []
    peaks: list[float] = []
    for seed in range(settings.seeds):
        for who in (*PEERS, *PRESETS):
            settings.say(f"training: {PEERS.get(who, who)}, seed {seed}")
            if who == "default":
                peaks.append(float(module("sides.matmul_peak").output.splitlines()[-1]) * 1e9)
            runs.append(_peer(settings, who, seed) if who in PEERS else _own(settings, who, seed))
    return rows(runs, peaks), runs


def _own(settings: Settings, who: str, seed: int) -> Trained:
    job = settings.scratch / f"{who}-{seed}"
    options = QUICK if settings.quick else ()
    result = module("sides.train", settings.raw, who, seed, job, *options).result
    return _trained(who, seed, result, result["images_per_second"] * result["flops"])


def _peer(settings: Settings, who: str, seed: int) -> Trained:
    epochs = 1 if settings.quick else PEER_EPOCHS[who]
    return _trained(who, seed, module("peers.keras_fit", settings.raw, who, epochs, seed).result)


def _trained(who: str, seed: int, result: Any, flops: float = 0.0) -> Trained:
    curve = [(row["seconds"], row["validation_accuracy"]) for row in result["curve"]]
    return Trained(who, seed, curve, result["seconds"], result["test_accuracy"], flops)


def rows(runs: Sequence[Trained], peaks: Sequence[float]) -> list[Figure]:
    """The figures of all runs.

    Args:
        runs: The same seeds of every preset and peer.
        peaks: The machine's peak, measured beside each run of the default, in operations a second.
    """
    of = {who: [run for run in runs if run.who == who] for who in (*PRESETS, *PEERS)}
    figures = [row for who, own in of.items() for row in _accuracy_and_time(who, own)]
    shares = [run.flops / peak for run, peak in zip(of["default"], peaks, strict=True)]
    share = Figure(
        "whole training, default: share of the bfloat16 matmul peak measured beside it",
        shares,
        target=Target(0.60),
        detail=f"peak {number(max(peaks) / 1e9)} GFLOP/s",
    )
    return [*figures, share, race(of["fast"], of["cnn"])]


def _accuracy_and_time(who: str, runs: Sequence[Trained]) -> list[Figure]:
    accuracy, seconds = TARGETS.get(who, (None, None))
    label = PEERS.get(who, who)
    reached = [run.test_accuracy for run in runs]
    times = [run.seconds for run in runs]
    return [
        Figure(f"test accuracy: {label}", reached, target=accuracy),
        Figure(f"seconds of training: {label}", times, "s", seconds),
    ]


def race(ours: Sequence[Trained], theirs: Sequence[Trained]) -> Figure:
    """The time to the threshold, ours divided by the peer's.

    A peer that never gets there is counted with all of its time, which favours it.
    """
    late = ", ".join(str(run.seed) for run in theirs if run.seconds_to(THRESHOLD) is None)
    row = ratio(
        f"time to {THRESHOLD} on the validation split: preset fast / Keras guide's CNN",
        [run.seconds_to(THRESHOLD) or math.inf for run in ours],
        [run.seconds_to(THRESHOLD) or run.seconds for run in theirs],
        Target(1 / 4, at_most=True),
        unit="s",
        labels=("fast", "guide"),
    )
    note = f"{row.detail}; guide never with seeds {late}" if late else row.detail
    return dataclasses.replace(row, detail=note)
