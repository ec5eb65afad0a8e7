"""Hyperparameters, their checks, the errors of training, and JSON that every reader takes."""

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import StepError

ARCHITECTURES: Final = ("residual", "plain")
SAMPLINGS: Final = ("loss", "uniform")
AUGMENTATIONS: Final = ("none", "flip", "shift", "flip+shift")
PRECISIONS: Final = ("auto", "bfloat16", "float32")
MIN_STAGES: Final = 2
MAX_STAGES: Final = 4
"""Each stage halves the image: 28, 14, 7, 3, 1."""


class TrainingError(StepError):
    """Training that cannot begin or go on."""


class HyperparameterError(TrainingError):
    """A hyperparameter outside what training can use."""


class TrainingDiverged(TrainingError):
    """The loss or a weight is no finite number any more."""


@dataclasses.dataclass(frozen=True)
class Hyperparameters:
    """Everything that can be chosen about a training run; the one place of the defaults.

    Attributes:
        seed: Seeds the initial weights, the order of the examples and the augmentation.
        epochs: Passes over the training examples; used when ``train_steps`` is 0.
        train_steps: Exactly this many steps, the last epoch cut short; 0: ``epochs`` decide.
        batch_size: Examples in a step.
        learning_rate: Peak of the schedule, for the convolution kernels (see ``optimizer``).
        dropout: Share of the features dropped before the last layer, in [0, 1).
        architecture: One of ``ARCHITECTURES``; see ``model``.
        filters: Channels of each stage, 2 to 4 of them.
        dense_units: Width of the fully connected layer before the last one; 0: none.
        members: Networks that are trained side by side and answer together.
        label_smoothing: Share of the target spread evenly over the classes, in [0, 1).
        augmentation: One of ``AUGMENTATIONS``.
        sampling: One of ``SAMPLINGS``; ``loss``: after the first epoch rather what is not learned
            yet (see ``sampling``), ``uniform``: everything equally often.
        precision: One of ``PRECISIONS``; ``auto``: bfloat16 where the hardware computes it.
        train_on_validation: Train on the validation examples too, and validate on nothing.

    Raises:
        HyperparameterError: A value has the wrong type or is out of range.
    """

    seed: int = 0
    epochs: int = 7
    train_steps: int = 0
    batch_size: int = 256
    learning_rate: float = 0.12
    dropout: float = 0.0
    architecture: str = "residual"
    filters: tuple[int, ...] = (32, 64, 128)
    dense_units: int = 128
    members: int = 1
    label_smoothing: float = 0.1
    augmentation: str = "flip"
    sampling: str = "loss"
    precision: str = "auto"
    train_on_validation: bool = False

    def __post_init__(self) -> None:
        """Checks types and ranges; whole floats (JSON has no other numbers) become integers."""
        for name in ("seed", "epochs", "train_steps", "batch_size", "dense_units", "members"):
            self._set(name, _whole(name, getattr(self, name)))
        for name in ("learning_rate", "dropout", "label_smoothing"):
            self._set(name, _real(name, getattr(self, name)))
        if not isinstance(self.filters, list | tuple):
            raise HyperparameterError(f"filters is {self.filters!r}; give a list of integers")
        self._set("filters", tuple(_whole("filters", width) for width in self.filters))
        for name, (rule, allowed) in _RULES.items():
            if not allowed(getattr(self, name)):
                raise HyperparameterError(f"{name} is {getattr(self, name)!r}; it must be {rule}")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """All values, ready for JSON."""
        return {**dataclasses.asdict(self), "filters": list(self.filters)}


def _one_of(choices: tuple[str, ...]) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(choices)}", lambda value: value in choices


_POSITIVE: Final = ("1 or more", lambda value: value >= 1)
_NOT_NEGATIVE: Final = ("0 or more", lambda value: value >= 0)
_SHARE: Final = ("from 0 up to, but not, 1", lambda value: 0 <= value < 1)
_RULES: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "seed": ("from 0 to 2^31-1", lambda value: 0 <= value < 2**31),
    "epochs": _POSITIVE,
    "train_steps": _NOT_NEGATIVE,
    "batch_size": _POSITIVE,
    "learning_rate": ("positive and finite", lambda value: 0 < value < math.inf),
    "dropout": _SHARE,
    "filters": (
        f"{MIN_STAGES} to {MAX_STAGES} integers of 2 or more",
        lambda value: MIN_STAGES <= len(value) <= MAX_STAGES and min(value) >= 2,
    ),
    "dense_units": _NOT_NEGATIVE,
    "members": _POSITIVE,
    "label_smoothing": _SHARE,
    "architecture": _one_of(ARCHITECTURES),
    "augmentation": _one_of(AUGMENTATIONS),
    "sampling": _one_of(SAMPLINGS),
    "precision": _one_of(PRECISIONS),
    "train_on_validation": ("true or false", lambda value: isinstance(value, bool)),
}


def _whole(name: str, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise HyperparameterError(f"{name} is {value!r}; give a whole number")
    return value


def _real(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise HyperparameterError(f"{name} is {value!r}; give a number")
    return math.inf if value > sys.float_info.max else float(value)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes ``value`` where every reader of JSON can take it: no NaN, no infinity.

    Raises:
        ValueError: There is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")
