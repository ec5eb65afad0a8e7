"""The manifest that a step writes last, and without which no reader takes its output.

On Vertex an output directory is a bucket behind a file system: files appear one by one and a
step can die between two of them. ``manifest.json`` lists every file with its size and digest
and is written when all of them are complete.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import DataError

MANIFEST: Final = "manifest.json"
VOLATILE: Final = frozenset({"fingerprint.pb"})
"""Files that differ between two exports of one model; they do not count for its digest."""


def write_manifest(directory: Path, **facts: Any) -> dict[str, Any]:
    """Lists every file under ``directory`` in its ``manifest.json``; call it last.

    Args:
        directory: The complete output of a step.
        **facts: Further JSON values to record beside the files.

    Returns:
        What was written: ``facts`` and ``files``, a list of ``name`` (relative, ``/``), ``bytes``
        and ``sha256``, sorted by name.
    """
    files = [
        {
            "name": path.relative_to(directory).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": _sha256(path),
        }
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / MANIFEST
    ]
    manifest = {**facts, "files": files}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


def read_manifest(directory: Path) -> dict[str, Any]:
    """Reads and checks the manifest of ``directory``: every file there, in its full size.

    Raises:
        DataError: There is no manifest (the step that wrote the directory did not finish), it is
            no JSON, or a file is missing or has another size.
    """
    path = directory / MANIFEST
    again = "run again with --no-cache to make it anew"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise DataError(f"{directory} has no {MANIFEST}: it is unfinished; {again}") from None
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}); {again}") from error
    for entry in manifest["files"]:
        file = directory / entry["name"]
        size = file.stat().st_size if file.is_file() else None
        if size != entry["bytes"]:
            found = "missing" if size is None else f"{size} bytes"
            raise DataError(f"{file} is {found}, expected {entry['bytes']} bytes; {again}")
    return manifest


def content_digest(manifest: Mapping[str, Any]) -> str:
    """The digest of a directory's content: hexadecimal SHA-256 over its file names and digests.

    Two directories with equal files have equal digests, wherever they are.
    """
    lines = [
        f"{entry['sha256']}  {entry['name']}\n"
        for entry in manifest["files"]
        if entry["name"] not in VOLATILE
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
