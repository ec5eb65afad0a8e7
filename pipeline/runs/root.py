"""The folder that holds all that a run on this machine leaves."""

import os
from pathlib import Path
from typing import Final

from components.dataset.places import PlaceError, local_path
from pipeline.checkout import PROJECT
from pipeline.errors import UsageError
from pipeline.text import shown

DEFAULT_ROOT: Final = Path(".fashion-mnist")
VARIABLE: Final = "FASHION_MNIST_ROOT"


def default_root() -> Path:
    """The root where none is given: FASHION_MNIST_ROOT, else ``.fashion-mnist`` in this checkout.

    Like the source and ``compiled/``, the second does not depend on the working directory.

    Raises:
        UsageError: The variable holds an address.
    """
    if not (named := os.environ.get(VARIABLE)):
        return Path(shown(PROJECT / DEFAULT_ROOT))
    try:
        path = local_path(named)
    except PlaceError:
        path = None
    if path is None:
        raise UsageError(f"{VARIABLE} is {named}: it must name a folder on this machine")
    return path


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
