"""Training speed: against a constant batch, and against what a user of Keras would write."""

from typing import Any

from components.dataset.facts import SPLITS

from .figure import Figure, Target, ratio
from .process import module
from .settings import Settings

STEPS = 60
QUICK_STEPS = 2


def measure(settings: Settings) -> list[Figure]:
    """The rows of training speed, in images per second."""
    settings.say("training speed against a constant batch, Keras' defaults, single examples")
    steps = QUICK_STEPS if settings.quick else STEPS
    decoded = settings.scratch / "records"
    module("sides.decode", settings.raw, decoded)
    speeds: dict[str, list[float]] = {"ours": [], "constant": [], "single": [], "keras": []}
    for _ in range(settings.repeats):
        segment: Any = module("sides.train_speed", decoded / SPLITS[0], 1, steps).result
        segment["keras"] = [module("peers.keras_network", settings.raw, steps).result]
        for name, values in segment.items():
            speeds[name] += values
    sides = (
        ("constant", "the same network on one constant batch", Target(0.97)),
        ("keras", "the same network as Keras does it by default", Target(1.8)),
        ("single", "the same steps on records parsed one by one", None),
    )
    return [
        ratio(
            f"training, images per second: ours / {text}",
            speeds["ours"],
            speeds[name],
            target,
            unit="images/s",
            labels=("ours", name),
        )
        for name, text, target in sides
    ]
