"""Artifacts as files on this machine, wherever they are."""

import contextlib
import dataclasses
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from components.dataset import bucket, folder
from components.dataset.errors import StepError
from components.dataset.places import PlaceError, local_path
from pipeline.errors import CommandError
from pipeline.local import run as local
from pipeline.runs import record
from pipeline.runs.root import Root, default_root
from pipeline.text import command


class ArtifactError(CommandError):
    """An artifact that does not exist, or that cannot be read."""


def place(root: Path | None = None) -> Root:
    """The folder that holds all that is local; by default as for the commands."""
    return Root((root or default_root()).expanduser().resolve())


@dataclasses.dataclass(frozen=True)
class Artifact(record.Artifact):
    """An output of a step, with its files.

    Attributes:
        run: Id of its run; empty when unknown.
        root: The folder that holds all that is local; downloads go to its ``artifacts/``.
    """

    run: str = ""
    root: Path = dataclasses.field(default_factory=lambda: place().path, repr=False)

    @property
    def path(self) -> Path:
        """The file or the folder; from a bucket it is downloaded once.

        Raises:
            ArtifactError: It is gone, or the bucket refuses or cannot be reached.
        """
        if self.uri.startswith(bucket.SCHEME):
            return _downloaded(self.uri, self.root)
        path = Path(self.uri)
        if not path.exists():
            raise ArtifactError(
                f"{path} is gone; make it again with rerun, or with `{command('run --no-cache')}`"
            )
        return path

    def read_json(self) -> Any:
        """The content of a JSON file.

        Raises:
            ArtifactError: It is gone, or it is not JSON.
        """
        try:
            return json.loads(self.path.read_text())
        except (ValueError, IsADirectoryError) as error:
            raise ArtifactError(f"{self.uri} is not a JSON file ({error})") from error


def artifact(uri: str | Path, root: Path | None = None, **metadata: Any) -> Artifact:
    """An artifact by its address, as the page of a Vertex AI job shows it, or by its path.

    Raises:
        ArtifactError: It is an address of another kind than ``gs://bucket/…``.
    """
    try:
        path = local_path(str(uri))
    except PlaceError as error:
        raise ArtifactError(f"{uri}: {error}") from error
    where = str(uri) if path is None else str(path.resolve())
    return Artifact(where, metadata, root=place(root).path)


def is_local(uri: str) -> bool:
    """Whether it is an address in the storage emulator's bucket."""
    return f"{uri}/".startswith(f"{local.BUCKET_URI}/")


def _downloaded(uri: str, root: Path) -> Path:
    target = root / "artifacts" / uri.removeprefix(bucket.SCHEME).rstrip("/")
    if not target.exists():
        print(f"downloading {uri}")  # noqa: T201 - a cell's own output
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=target.parent) as incoming:
            copy = Path(incoming) / target.name
            _download(uri, copy, root)
            # An unfinished download never has the artifact's name.
            shutil.move(copy, target)
    return target


def _download(uri: str, copy: Path, root: Path) -> None:
    with local.bucket(root) if is_local(uri) else contextlib.nullcontext():
        try:
            if folder.fetch(uri, copy):
                return
            if bucket.stat(uri) is None:
                raise ArtifactError(
                    f"there is nothing at {uri}; give the address as the job's page shows it, or "
                    "make it again"
                )
            folder.fetch_object(uri, copy)
        except StepError as error:
            raise ArtifactError(str(error)) from error
