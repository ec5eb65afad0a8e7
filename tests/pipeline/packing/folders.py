"""Folders of pictures that the tests make."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.photographs import Pixels


def noise(seed: int, shape: Sequence[int] = (28, 28)) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def picture_folder(
    folder: Path, classes: Mapping[str, int], shape: Sequence[int] = (28, 28), seed: int = 0
) -> Path:
    """A folder of so many different pictures of each class."""
    for name, count in classes.items():
        for number in range(count):
            seed += 1
            save(folder / name / f"{number}.png", noise(seed, shape))
    return folder
