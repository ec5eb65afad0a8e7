"""The trainer as a Python package for a training job, with the arguments of its command line.

``python -m pipeline.trainer_package DIRECTORY`` writes it; its module is
``components.train.trainer.task``.
"""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Final

from components.dataset.code import travelling
from components.dataset.places import PlaceError, local_path
from components.embedding import read_pins
from pipeline.specs.archives import archive

NAME: Final = "fashion-mnist-trainer"
VERSION: Final = "0.1.0"
MODULE: Final = "components.train.trainer.task"
SETUP: Final = '''"""The FashionMNIST trainer as a package."""

from setuptools import find_packages, setup

setup(
    name="{name}",
    version="{version}",
    packages=find_packages(),
    python_requires=">=3.11",
    install_requires={pins},
)
'''


def write(directory: Path) -> Path:
    """Writes the package as a source distribution, the same bytes for the same code."""
    directory.mkdir(parents=True, exist_ok=True)
    root = f"{NAME}-{VERSION}"
    path = directory / f"{root}.tar.gz"
    path.write_bytes(archive({f"{root}/{name}": content for name, content in files().items()}))
    return path


def files() -> dict[str, bytes]:
    """The files of the package by name."""
    setup = SETUP.format(name=NAME, version=VERSION, pins=read_pins("train"))
    facts = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n"
    return {**travelling([MODULE]), "setup.py": setup.encode(), "PKG-INFO": facts.encode()}


def _directory(place: str) -> Path:
    path = None
    with contextlib.suppress(PlaceError):
        path = local_path(place)
    if path is None:
        raise argparse.ArgumentTypeError(
            f"{place} is not on this machine; give a path, and copy the package from there: "
            "`gcloud storage cp PATH gs://BUCKET/`"
        )
    return path


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Writes the trainer as a Python package.")
    arguments.add_argument("directory", type=_directory)
    sys.stdout.write(f"{write(arguments.parse_args().directory)}\n")
