"""Twelve kinds of photos: how often the default model is right, and how long it takes.

The photos are made from official test images, dark on light or light on dark, 336 pixels high.
"""

from typing import Final

from .figure import Figure, Target
from .process import module, run_module, seconds
from .settings import Settings

PHOTOS: Final = 200
"""Of each kind."""
LEAST: Final = Target(0.91)


def measure(settings: Settings) -> list[Figure]:
    """Accuracy by kind of photo, and the time of ``predict``."""
    settings.say("photos: training the default model")
    job, folder = settings.scratch / "of-photos", settings.scratch / "photos"
    options = ("--train-steps", "4") if settings.quick else ()
    module("sides.train", settings.raw, "default", 0, job, *options)
    folder.mkdir()
    settings.say("photos: accuracy")
    count = 4 if settings.quick else PHOTOS
    accuracies = module("sides.photos", settings.raw, job / "model", folder, count).result
    figures = [
        Figure(f"photos, {kind}", [prepared], "", LEAST, f"squeezed to 28x28: {squeezed:.3f}")
        for kind, (prepared, squeezed) in accuracies.items()
    ]
    first, everything = next(folder.iterdir()), folder
    for name, what in (("one photo", first), ("1,000 photos", everything)):
        settings.say(f"photos: predict, {name}")
        asked = ("predict", "--model", job / "model", what)
        times = seconds([run_module("pipeline", *asked) for _ in range(settings.repeats)])
        figures.append(Figure(f"`predict`, {name}", times, "s"))
    return figures
