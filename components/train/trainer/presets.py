"""Named sets of hyperparameters: the textbook's network, a quick one, and the best."""

from typing import Any, Final

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "tutorial": {"architecture": "plain", "filters": (32, 64), "dense_units": 128, "epochs": 6},
    "fast": {"filters": (16, 32, 64), "epochs": 3},
    "best": {"members": 4, "epochs": 8},
}
"""What each changes of the defaults; those have the best accuracy per minute."""
