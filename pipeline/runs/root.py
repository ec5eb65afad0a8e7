"""The folder that holds all that a run on this machine leaves."""

from pathlib import Path
from typing import Final

DEFAULT_ROOT: Final = Path(".fashion-mnist")


class Root:
    """The folder that holds all that is local.

    It has the emulator's bucket, the registry of models, kfp's cache, and a folder for each run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bucket = path / "bucket"
        self.registry = path / "registry"
        self.cache = path / "cache"
        self.runs = path / "runs"
