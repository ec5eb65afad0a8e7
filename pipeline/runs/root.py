"""The folder that holds all that a run on this machine leaves."""

from pathlib import Path
from typing import Final

DEFAULT_ROOT: Final = Path(".fashion-mnist")


class Root:
    """The folder that holds all that is local.

    It has the emulator's bucket, the registry of models, kfp's cache, predictions of the test
    examples, the digest of the source that matched ``compiled/``, and a folder for each run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bucket = path / "bucket"
        self.registry = path / "registry"
        self.cache = path / "cache"
        self.predictions = path / "predictions"
        self.compiled = path / "compiled.sha256"
        self.runs = path / "runs"
