"""The folder that holds all that a run on this machine leaves."""

from pathlib import Path
from typing import Final

DEFAULT_ROOT: Final = Path(".fashion-mnist")


class Root:
    """The folder that holds all that is local.

    Attributes:
        bucket: The storage emulator's objects.
        registry: The models, in TensorFlow Serving's layout.
        cache: What kfp.local knows of steps that ran before.
        runs: A folder for each run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bucket = path / "bucket"
        self.registry = path / "registry"
        self.cache = path / "cache"
        self.runs = path / "runs"
