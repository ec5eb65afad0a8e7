"""Where a training writes: folders on this machine or in a bucket."""

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset import bucket, folder
from components.dataset.bucket import SCHEME
from components.dataset.errors import StepError
from components.dataset.places import PlaceError, local_path

MODEL: Final = "AIP_MODEL_DIR"
CHECKPOINTS: Final = "AIP_CHECKPOINT_DIR"
LOGS: Final = "AIP_TENSORBOARD_LOG_DIR"
"""What Vertex AI sets for a training job, each to an address in a bucket."""


class OutputError(StepError):
    """There is no place for what a training makes, or it cannot be written."""


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder; one in a bucket (with a ``gs://`` address) is kept here and copied there.

    Its methods raise BucketError if the bucket is missing, refuses, or cannot be reached.
    """

    path: Path
    address: str = ""

    @classmethod
    def at(cls, place: str, scratch: Path) -> "Folder":
        """The folder at a local path or a ``gs://`` address, kept in ``scratch`` then.

        Raises:
            PlaceError: It is an address of another kind.
        """
        path = local_path(place)
        if path is not None:
            return cls(path)
        return cls(scratch / "outputs" / place.removeprefix(SCHEME), place.rstrip("/"))

    def __str__(self) -> str:
        """Its address or path."""
        return self.address or str(self.path)

    def __truediv__(self, name: str) -> "Folder":
        """A folder in this one."""
        return Folder(self.path / name, f"{self.address}/{name}" if self.address else "")

    @property
    def parent(self) -> "Folder":
        """The folder that this one is in."""
        return Folder(self.path.parent, self.address.rpartition("/")[0])

    def check(self) -> None:
        """Refuses a folder on this machine that cannot be made or written.

        Raises:
            OutputError: It names what is in the way.
        """
        path = self.path.absolute()
        there = next(each for each in (path, *path.parents) if os.access(each, os.F_OK))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise OutputError(f"{there} is not a folder that can be written; choose another one")

    def fetch(self) -> None:
        """Makes the folder here equal to the one in the bucket, if it is in one."""
        if self.address:
            shutil.rmtree(self.path, ignore_errors=True)
            folder.fetch(self.address, self.path)

    def publish(self) -> None:
        """Makes the folder in the bucket equal to the one here, if it is in one."""
        if self.address:
            folder.publish(self.path, self.address)

    def remove(self) -> None:
        """Removes everything in it, here and there."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.address:
            folder.remove(self.address)

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Writes one file, here and there."""
        text = json.dumps(value, indent=1, allow_nan=False)
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text + "\n")
        if self.address:
            bucket.upload(self.path / name, f"{self.address}/{name}", overwrite=True)


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The folders of a training.

    Attributes:
        model: The SavedModel.
        checkpoints: For many trainings. Each has a folder in it, named by a digest of what it is
            made from, resumes from there, and removes it when it is done. None: none are written.
        logs: TensorBoard's; None: none are written.
    """

    model: Folder
    checkpoints: Folder | None = None
    logs: Folder | None = None

    @classmethod
    def of_job(cls, job_dir: str, environment: Mapping[str, str], scratch: Path) -> "Outputs":
        """The folders in ``job_dir``, or without one those that Vertex AI's variables name.

        Folders that Vertex AI does not name are next to the model.

        Raises:
            OutputError: There is neither a ``job_dir`` nor AIP_MODEL_DIR, or one of the folders
                cannot be used.
        """
        if not job_dir and not environment.get(MODEL):
            raise OutputError(f"give --job-dir, or set {MODEL}")

        def at(name: str, place: str) -> Folder:
            try:
                folder = Folder.at(place, scratch)
                folder.check()
            except (PlaceError, OutputError) as error:
                raise OutputError(f"{name}: {error}") from error
            return folder

        if job_dir:
            job = at("--job-dir", job_dir)
            return cls(job / "model", job / "checkpoints", job / "logs")
        model = at(MODEL, environment[MODEL])
        job = model.parent
        others = {CHECKPOINTS: job / "checkpoints", LOGS: job / "logs"}
        others |= {name: at(name, environment[name]) for name in others if environment.get(name)}
        return cls(model, others[CHECKPOINTS], others[LOGS])
