"""The folder that holds all that a run on this machine leaves."""

import dataclasses
from pathlib import Path
from typing import Final

DEFAULT_ROOT: Final = Path(".fashion-mnist")


@dataclasses.dataclass(frozen=True)
class Root:
    """The folder that holds all that is local."""

    path: Path

    @property
    def bucket(self) -> Path:
        """The storage emulator's objects."""
        return self.path / "bucket"

    @property
    def registry(self) -> Path:
        """The models, in TensorFlow Serving's layout."""
        return self.path / "registry"

    @property
    def cache(self) -> Path:
        """What kfp.local knows of steps that ran before."""
        return self.path / "cache"

    @property
    def runs(self) -> Path:
        """A folder for each run."""
        return self.path / "runs"
