"""Training steps: ``python -m benchmarks.sides.train_speed RECORDS SEGMENTS STEPS``.

With the preset ``accurate`` it takes, in turns, ``STEPS`` steps on the input pipeline, as many on
one batch that stays in memory, and as many on records that are parsed one by one; prints the images
per second of each segment as JSON.
"""

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers import single_examples
from components.train.trainer.hardware import resolve_precision
from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
from components.train.trainer.input_pipeline import open_source
from components.train.trainer.model import build_model
from components.train.trainer.splits import Split
from components.train.trainer.training import Training

WARM_UP = 10


def speed(training: Training, batches: Iterator[Any], steps: int) -> float:
    """Images per second over ``steps`` steps."""
    started = time.perf_counter()
    figures = [training.step(*next(batches))[0] for _ in range(steps)]
    float(figures[-1][0])
    return steps * training.plan.batch_size / (time.perf_counter() - started)


def rounds(training: Training) -> Iterator[Any]:
    """The batches of one epoch after another."""
    for number in itertools.count(1):
        for draw in training.sampler.epoch(number, training.plan.steps_per_epoch):
            yield from training.batches(draw, 0)


def main(records: str, segments: str, steps: str) -> None:
    """Prints the figures."""
    hyperparameters = Hyperparameters.of(PRESETS["accurate"])
    split = Split.of_directory(Path(records))
    model = build_model(hyperparameters, split.description, resolve_precision("auto"))
    source = open_source(split)
    training = Training(model, source, None, hyperparameters)
    batches = rounds(training)
    constant = next(batches)
    single = single_examples.batches(Path(records), training.plan.batch_size)
    sides = {
        "ours": batches,
        "constant": itertools.repeat(constant),
        "single": ((*batch, constant[-1]) for batch in single),
    }
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        speed(training, side, WARM_UP)
    for _ in range(int(segments)):
        for name, side in sides.items():
            speeds[name].append(speed(training, side, int(steps)))
    print(json.dumps(speeds))


if __name__ == "__main__":
    main(*sys.argv[1:])
