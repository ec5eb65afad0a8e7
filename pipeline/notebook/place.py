"""Where a notebook finds what runs left on this machine."""

import os
from pathlib import Path
from typing import Final

from pipeline.compiler import PROJECT
from pipeline.runs.root import DEFAULT_ROOT, Root

VARIABLE: Final = "FASHION_MNIST_ROOT"
"""The environment variable that names the folder of all that is local."""


def place(root: Path | None = None) -> Root:
    """The folder of all that is local.

    Args:
        root: The folder; None: what FASHION_MNIST_ROOT names, else ``.fashion-mnist`` of the
            checkout, whatever a notebook's working directory is.
    """
    chosen = root or os.environ.get(VARIABLE) or PROJECT / DEFAULT_ROOT
    return Root(Path(chosen).expanduser().resolve())
