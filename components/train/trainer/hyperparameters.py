"""What can be chosen about a training: each hyperparameter with its default, help and rule.

A new hyperparameter is one more field of ``Hyperparameters``, used where it takes effect.
"""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from typing import Any, Final

from components.dataset.errors import StepError


class HyperparameterError(StepError):
    """A hyperparameter that does not exist, or a value that training cannot use."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """Which values a hyperparameter takes; its type is the default's.

    ``lengths`` are the fewest and most numbers of a list.
    """

    least: float = -math.inf
    above: float = -math.inf
    below: float = math.inf
    choices: tuple[str, ...] = ()
    lengths: tuple[int, int] = (1, 1)

    def check(self, name: str, value: Any, default: Any) -> Any:
        """The value in the default's type: whole floats become integers, lists tuples."""
        try:
            return self._convert(value, default)
        except (ValueError, OverflowError):
            raise HyperparameterError(
                f"{name} is {value!r}; it must be {self.text(default)}"
            ) from None

    def _convert(self, value: Any, default: Any) -> Any:
        if isinstance(default, tuple):
            fewest, most = self.lengths
            if not isinstance(value, list | tuple) or not fewest <= len(value) <= most:
                raise ValueError(value)
            return tuple(self._convert(item, default[0]) for item in value)
        if isinstance(default, bool | str):
            if type(value) is not type(default) or (self.choices and value not in self.choices):
                raise ValueError(value)
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(value)
        number = type(default)(value)
        inside = self.above < number < self.below and self.least <= number
        if number != value or not inside or not math.isfinite(number):
            raise ValueError(value)
        return number

    def text(self, default: Any) -> str:
        """The rule in words, as "a whole number, at least 1"."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(default, tuple):
            fewest, most = self.lengths
            return f"a list of {fewest} to {most} numbers, each {self.text(default[0])}"
        limits = {"at least": self.least, "above": self.above, "below": self.below}
        bounds = [f"{word} {limit:.15g}" for word, limit in limits.items() if math.isfinite(limit)]
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        return ", ".join(filter(None, [kind[type(default)], " and ".join(bounds)]))


SEED: Final = Rule(least=0, below=2**31)
"""The rule of a training's seed, which is a parameter of its own."""


def hyper(default: Any, description: str, **rule: Any) -> Any:
    """A field of ``Hyperparameters``: default, help text, and the attributes of its ``Rule``."""
    metadata = {"help": description, "rule": Rule(**rule)}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Hyperparameters:
    """Everything that can be chosen about a training, except its seed.

    Each field's metadata has its ``help`` and its ``rule``.

    Raises:
        HyperparameterError: A value has the wrong type or is out of range.
    """

    epochs: int = hyper(
        0,
        "Passes over the training examples; used when `train_steps` is 0. 0: four, or with few "
        "examples as many as 800 steps take, in batches of at most a sixteenth of them.",
        least=0,
    )
    train_steps: int = hyper(0, "Optimizer steps; 0: `epochs` decides.", least=0)
    batch_size: int = hyper(256, "Examples in a step.", least=1)
    learning_rate: float = hyper(
        0.1, "Peak of the schedule, for the convolution kernels.", above=0.0
    )
    optimizer: str = hyper(
        "muon_sgd",
        "`muon_sgd`: Muon for the convolution kernels, Nesterov SGD for everything else.",
        choices=("muon_sgd",),
    )
    dropout: float = hyper(
        0.0, "Share of the features dropped before the last layer.", least=0.0, below=1.0
    )
    architecture: str = hyper(
        "residual",
        "`residual`, or `plain`: one convolution and one pooling in each stage.",
        choices=("residual", "plain"),
    )
    stem_convolutions: int = hyper(
        3, "Convolutions of a `residual` network at full resolution.", least=2
    )
    filters: tuple[int, ...] = hyper(
        (16, 32, 64),
        "Channels of each stage of the network, which halves the image; with more stages than the "
        "image allows, the first ones are used.",
        least=2,
        lengths=(2, 8),
    )
    dense_units: int = hyper(
        128, "Units of the fully connected layer before the last one; 0: none.", least=0
    )
    members: int = hyper(
        1,
        "Networks of the ensemble, trained side by side; their predictions are averaged.",
        least=1,
    )
    mirror_averaging: bool = hyper(
        True, "Average the predictions for an image and its mirror image; doubles their time."
    )
    label_smoothing: float = hyper(
        0.05, "Share of the target that is spread over all classes.", least=0.0, below=1.0
    )
    augmentation: str = hyper(
        "flip",
        "Random changes of the training images: mirrored, shifted by one pixel, both or none.",
        choices=("none", "flip", "shift", "flip+shift"),
    )
    sampling: str = hyper(
        "loss",
        "`loss`: after the first epoch, favours examples with a high loss; `uniform`: all equally.",
        choices=("loss", "uniform"),
    )
    precision: str = hyper(
        "auto",
        "What the network computes in; `auto`: bfloat16 where the hardware supports it.",
        choices=("auto", "bfloat16", "float32"),
    )
    train_on_validation: bool = hyper(
        False, "Train on the validation examples too, without a validation."
    )

    def __post_init__(self) -> None:
        """Checks and converts every value."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            checked = field.metadata["rule"].check(field.name, value, field.default)
            object.__setattr__(self, field.name, checked)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Hyperparameters":
        """The hyperparameters with these values, as JSON has them, and defaults for the others.

        Raises:
            HyperparameterError: A name does not exist; a value has the wrong type or is out of
                range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
                raise HyperparameterError(f"there is no hyperparameter {name!r}; {hint}")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """All values by name, as JSON has them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }


PRESETS: Final[dict[str, dict[str, Any]]] = {
    "tutorial": {"architecture": "plain", "filters": [32, 64], "dense_units": 128, "epochs": 6},
    "fast": {"epochs": 2},
    "accurate": {"filters": [32, 64, 128], "epochs": 5},
    "best": {"filters": [32, 64, 128], "stem_convolutions": 4, "members": 4, "epochs": 8},
}
"""Named sets of hyperparameters, as changes of the defaults."""
