"""Artifacts as files of this machine, wherever they are."""

import contextlib
import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.dataset import bucket, folder
from components.dataset.errors import StepError
from pipeline.errors import CommandError
from pipeline.local import run as local
from pipeline.notebook.place import place
from pipeline.program import command


class ArtifactError(CommandError):
    """An artifact that is not there, or that cannot be read."""


@dataclasses.dataclass(frozen=True)
class Artifact:
    """What a step left behind.

    Attributes:
        uri: Where it is: a path of this machine, or ``gs://…``.
        metadata: What the step noted of it.
        kind: Its type, as ``system.Model``; empty: not known.
        run: Id of the run that it was taken from; empty: of none.
        root: The folder that holds all that is local; copies from a bucket go to its
            ``artifacts/``.
    """

    uri: str
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = ""
    run: str = ""
    root: Path = dataclasses.field(default_factory=lambda: place().path, repr=False)

    @property
    def path(self) -> Path:
        """The file or the folder; what lies in a bucket is copied once, and then kept.

        Raises:
            ArtifactError: It is gone, or the bucket refuses or cannot be reached.
        """
        if self.uri.startswith(bucket.SCHEME):
            return _copied(self.uri, self.root)
        path = Path(self.uri)
        if not path.exists():
            raise ArtifactError(
                f"{path} is gone; make it anew with rerun, or with `{command('run --no-cache')}`"
            )
        return path

    def read_json(self) -> Any:
        """The content of a JSON file.

        Raises:
            ArtifactError: It is gone, or it is no JSON.
        """
        try:
            return json.loads(self.path.read_text())
        except (ValueError, IsADirectoryError) as error:
            raise ArtifactError(f"{self.uri} is no JSON file ({error})") from error


def artifact(uri: str | Path, root: Path | None = None, **metadata: Any) -> Artifact:
    """An artifact by its address, as the page of a Vertex AI job shows it.

    Args:
        uri: ``gs://bucket/…``, or a path of this machine.
        root: The folder that holds all that is local.
        **metadata: What is known of it.

    Raises:
        ArtifactError: It is an address of another kind.
    """
    where = str(uri)
    if "://" in where and not where.startswith(bucket.SCHEME):
        raise ArtifactError(f"{where}: give gs://BUCKET/… or a path of this machine")
    if not where.startswith(bucket.SCHEME):
        where = str(Path(where).expanduser().resolve())
    return Artifact(where, metadata, root=place(root).path)


def is_local(uri: str) -> bool:
    """Whether it is an address of the storage emulator's bucket."""
    return f"{uri}/".startswith(f"{local.BUCKET_URI}/")


def _copied(uri: str, root: Path) -> Path:
    target = root / "artifacts" / uri.removeprefix(bucket.SCHEME).rstrip("/")
    if not target.exists():
        print(f"fetching {uri}")  # noqa: T201 - a cell's own output
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=target.parent) as incoming:
            copy = Path(incoming) / target.name
            _fetch(uri, copy, root)
            # What was stopped half-way never has the artifact's name.
            shutil.move(copy, target)
    return target


def _fetch(uri: str, copy: Path, root: Path) -> None:
    emulator = local.bucket(root) if is_local(uri) else contextlib.nullcontext()
    with emulator, _explained():
        if folder.fetch(uri, copy):
            return
        if bucket.stat(uri) is None:
            raise ArtifactError(
                f"there is nothing at {uri}; give the address as the job's page shows it, or make "
                "it anew"
            )
        folder.fetch_object(uri, copy)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StepError as error:
        raise ArtifactError(str(error)) from error
