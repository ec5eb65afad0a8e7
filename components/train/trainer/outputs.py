"""Where a training job leaves what it makes: in folders here or in a bucket."""

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .util import write_json

SCHEME: Final = "gs://"
MODEL: Final = "AIP_MODEL_DIR"
CHECKPOINTS: Final = "AIP_CHECKPOINT_DIR"
LOGS: Final = "AIP_TENSORBOARD_LOG_DIR"
"""What Vertex AI sets for a training job, each to an address in a bucket."""
NAME_DIGITS: Final = 16
"""Hexadecimal digits of a run's digest that name its folder among those of others."""
FINISHED: Final = "finished.json"
"""Is with the checkpoints of a training that has ended well."""


@dataclasses.dataclass(frozen=True)
class Folder:
    """One of the job's folders; one in a bucket is kept here and copied there.

    Attributes:
        path: Where it is here.
        address: Its ``gs://`` address; empty for a local folder.
    """

    path: Path
    address: str = ""

    @classmethod
    def at(cls, place: str, scratch: Path) -> "Folder":
        """The folder of a local path or a ``gs://`` address."""
        if not place.startswith(SCHEME):
            return cls(Path(place))
        return cls(scratch / "outputs" / place.removeprefix(SCHEME), place.rstrip("/"))

    def __truediv__(self, name: str) -> "Folder":
        """A folder in this one."""
        return Folder(self.path / name, f"{self.address}/{name}" if self.address else "")

    @property
    def parent(self) -> "Folder":
        """The folder that this one is in."""
        return Folder(self.path.parent, self.address.rpartition("/")[0])

    def fetch(self) -> None:
        """Brings here what is there; nothing to do for a local folder.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        if self.address:
            from components.dataset import folder

            shutil.rmtree(self.path, ignore_errors=True)
            folder.fetch(self.address, self.path)

    def publish(self) -> None:
        """Brings there what is here; nothing to do for a local folder.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        if self.address:
            from components.dataset import folder

            folder.publish(self.path, self.address)

    def remove(self) -> None:
        """Removes everything in it, here and there.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        shutil.rmtree(self.path, ignore_errors=True)
        if self.address:
            from components.dataset import folder

            folder.remove(self.address)

    def remove_finished(self, but: "Folder") -> None:
        """Removes the folders in it that have ``FINISHED``, but one.

        Raises:
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        for name in self._files():
            run = self / name.removesuffix(f"/{FINISHED}")
            if name.endswith(f"/{FINISHED}") and run != but:
                run.remove()

    def _files(self) -> list[str]:
        if self.address:
            from components.dataset import folder

            prefix = f"{self.address}/"
            return [name.removeprefix(prefix) for name in folder.list_files(self.address)]
        files = (path for path in self.path.rglob("*") if path.is_file())
        return [path.relative_to(self.path).as_posix() for path in files]

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Writes one file, here and there.

        Raises:
            ValueError: There is a number in it that JSON does not have.
            BucketError: The bucket is missing, refuses, or cannot be reached.
        """
        write_json(self.path / name, value)
        if self.address:
            from components.dataset import folder

            folder.publish_file(self.path / name, f"{self.address}/{name}")


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The folders of a job.

    Attributes:
        model: The SavedModel.
        checkpoints: To go on from after an interruption; None: none are written.
        logs: TensorBoard's; None: none are written.
        figures: ``metrics.json`` and ``history.json``; None: the caller writes them.
        shared: Whether ``checkpoints`` is for many runs; this one's are then in a folder of it
            that is named by what the run is made from.
    """

    model: Folder
    checkpoints: Folder | None = None
    logs: Folder | None = None
    figures: Folder | None = None
    shared: bool = False

    def of_run(self, made_from: str) -> "Outputs":
        """The folders of the run that is made from ``made_from``."""
        if not self.shared or self.checkpoints is None:
            return self
        name = hashlib.sha256(made_from.encode()).hexdigest()[:NAME_DIGITS]
        return dataclasses.replace(self, checkpoints=self.checkpoints / name, shared=False)

    @classmethod
    def of_job(cls, job_dir: str, environment: Mapping[str, str], scratch: Path) -> "Outputs":
        """The folders below ``job_dir``; without one those that Vertex AI names.

        What it does not name is beside the model.

        Args:
            job_dir: A local path or a ``gs://`` address; may be empty.
            environment: Of the process.
            scratch: Where the folders of a bucket are kept while the job runs.

        Raises:
            ValueError: There is neither a ``job_dir`` nor AIP_MODEL_DIR.
        """
        if job_dir:
            job = Folder.at(job_dir, scratch)
            return cls(job / "model", job / "checkpoints", job / "logs", job)
        if not environment.get(MODEL):
            raise ValueError(f"give --job-dir, or set {MODEL}")
        model = Folder.at(environment[MODEL], scratch)
        checkpoints, logs = (
            Folder.at(place, scratch) if (place := environment.get(variable)) else beside
            for variable, beside in (
                (CHECKPOINTS, model.parent / "checkpoints"),
                (LOGS, model.parent / "logs"),
            )
        )
        return cls(model, checkpoints, logs, model.parent)
