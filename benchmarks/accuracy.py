"""Accuracy for time: every preset and every peer, several seeds, the test set once for each."""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .figure import Figure, Target, number, ratio
from .process import module
from .settings import Settings

THRESHOLD: Final = 0.92
"""Validation accuracy, the time to which is compared."""
PEERS: Final = {"mlp": "128-unit MLP, Adam", "cnn": "Keras guide's CNN, Adam"}
TARGETS: Final = {
    ("default", "bfloat16"): (Target(0.93), None),
    ("default", "float32"): (Target(0.93), None),
    ("accurate", "bfloat16"): (Target(0.942), Target(120, at_most=True)),
    ("accurate", "float32"): (Target(0.94), Target(540, at_most=True)),
    ("best", "bfloat16"): (Target(0.95), Target(900, at_most=True)),
}
SHORT: Final = (*PEERS, "tutorial", "fast", "default", "accurate")
LONG: Final = ("best",)
"""The last takes half of the time, so it can be measured by itself."""
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
        share: Of the peak; 0 for a peer.
        peak: GFLOP/s of a matmul in the same precision, measured right after it; 0 for a peer.
        precision: What it computed in; empty for a peer.
        megabytes: Of the exported model; 0 for a peer.
        prediction_ms: Of one image by the exported model, in milliseconds; 0 for a peer.
    """

    who: str
    seed: int
    curve: Sequence[tuple[float, float]]
    seconds: float
    test_accuracy: float
    share: float = 0.0
    peak: float = 0.0
    precision: str = ""
    megabytes: float = 0.0
    prediction_ms: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return dataclasses.asdict(self)

    def seconds_to(self, accuracy: float) -> float | None:
        """Training time until the validation accuracy was first reached; None if never."""
        return next((seconds for seconds, reached in self.curve if reached >= accuracy), None)


def measure(settings: Settings, who: Sequence[str]) -> Iterator[tuple[list[Figure], list[Trained]]]:
    """The rows of presets and peers, and the runs that they were made from: after each seed."""
    runs: list[Trained] = []
    for seed in range(settings.seeds):
        for one in who:
            settings.say(f"training: {PEERS.get(one, one)}, seed {seed}")
            runs.append((_peer if one in PEERS else _own)(settings, one, seed))
        yield rows(runs), runs


def _own(settings: Settings, who: str, seed: int) -> Trained:
    job = settings.scratch / f"{who}-{seed}"
    options = QUICK if settings.quick else ()
    result = module("sides.train", settings.raw, who, seed, job, *options).result
    precision = result["precision"]
    peak = module("sides.matmul_peak", precision).result
    share = result["images_per_second"] * result["flops"] / (peak * 1e9)
    own = {name: result[name] for name in ("precision", "megabytes", "prediction_ms")}
    return dataclasses.replace(_trained(who, seed, result), share=share, peak=peak, **own)


def _peer(settings: Settings, who: str, seed: int) -> Trained:
    epochs = 1 if settings.quick else PEER_EPOCHS[who]
    return _trained(who, seed, module("peers.keras_fit", settings.raw, who, epochs, seed).result)


def _trained(who: str, seed: int, result: Any) -> Trained:
    curve = [(row["seconds"], row["validation_accuracy"]) for row in result["curve"]]
    return Trained(who, seed, curve, result["seconds"], result["test_accuracy"])


def rows(runs: Sequence[Trained]) -> list[Figure]:
    """The figures of all runs, the same seeds of every preset and peer."""
    of = {who: [run for run in runs if run.who == who] for who in (*SHORT, *LONG)}
    figures = [row for who, own in of.items() if own for row in _accuracy_and_time(who, own)]
    if of["accurate"]:
        figures.append(share_of_peak(of["accurate"]))
    if of["fast"] and of["cnn"]:
        figures.append(race(of["fast"], of["cnn"]))
    return figures


def _accuracy_and_time(who: str, runs: Sequence[Trained]) -> list[Figure]:
    accuracy, seconds = TARGETS.get((who, runs[0].precision), (None, None))
    label = PEERS.get(who, who)
    reached = [run.test_accuracy for run in runs]
    times = [run.seconds for run in runs]
    rows = [
        Figure(f"test accuracy: {label}", reached, target=accuracy),
        Figure(f"seconds of training: {label}", times, "s", seconds),
    ]
    if who not in PEERS:
        rows += [
            Figure(f"size of the model: {who}", [run.megabytes for run in runs], "MB"),
            Figure(f"one prediction: {who}", [run.prediction_ms for run in runs], "ms"),
        ]
    return rows


def share_of_peak(runs: Sequence[Trained]) -> Figure:
    """What the training of ``runs`` reached of the peak, both in the precision that they had."""
    return Figure(
        f"whole training, accurate: share of the {runs[0].precision} matmul peak",
        [run.share for run in runs],
        target=Target(0.65),
        detail=f"peak {number(statistics.median(run.peak for run in runs))} GFLOP/s",
    )


def race(ours: Sequence[Trained], theirs: Sequence[Trained]) -> Figure:
    """The time to the threshold, ours divided by the peer's.

    A peer that never gets there is counted with all of its time, which favours it, and ours with
    an infinite one.
    """
    row = ratio(
        f"time to {THRESHOLD} on the validation split: preset fast / Keras guide's CNN",
        [run.seconds_to(THRESHOLD) or math.inf for run in ours],
        [run.seconds_to(THRESHOLD) or run.seconds for run in theirs],
        Target(1 / 4, at_most=True),
        unit="s",
        labels=("fast", "guide"),
    )
    notes = [row.detail]
    for label, runs in (("fast", ours), ("guide", theirs)):
        late = [str(run.seed) for run in runs if run.seconds_to(THRESHOLD) is None]
        if late:
            notes.append(f"{label} never with seeds {', '.join(late)}")
    return dataclasses.replace(row, detail="; ".join(notes))
