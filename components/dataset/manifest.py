"""The manifest that a step writes last, and that readers of its output require.

On Vertex an output directory is a bucket behind a file system: files appear one by one, and a
step can be killed between two of them. ``manifest.json`` lists every file with its size and
digest and is written when all of them are complete.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import DataError

MANIFEST: Final = "manifest.json"
AGAIN: Final = "run again with --no-cache to replace it"
VOLATILE: Final = frozenset({"fingerprint.pb"})
"""Files that TensorFlow writes differently each time; not part of a directory's digest."""
MODEL_DIGEST: Final = "model_digest"
"""The key of a trained model's digest in its manifest."""


def write_manifest(directory: Path, **facts: Any) -> dict[str, Any]:
    """Lists every file under ``directory`` in its ``manifest.json``; call it last.

    Args:
        directory: The complete output of a step.
        **facts: Further JSON values to record.

    Returns:
        What was written: ``facts`` and ``files``, a list of ``name`` (relative, ``/``), ``bytes``
        and ``sha256``, sorted by name.
    """
    files = [
        {
            "name": path.relative_to(directory).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
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
        DataError: There is no manifest (the step did not finish), it is not JSON or has another
            form, it names a file outside of the directory, or a file is missing or has another
            size.
    """
    path = directory / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise DataError(f"{directory} has no {MANIFEST}: it is unfinished; {AGAIN}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({error}); {AGAIN}") from error
    entries = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise DataError(
            f"{path} lists no files with a name inside the directory, bytes and sha256; {AGAIN}"
        )
    for entry in entries:
        size = _size(directory / entry["name"])
        if size != entry["bytes"]:
            found = "missing" if size is None else f"{size} bytes"
            raise DataError(
                f"{entry['name']!r} in {directory} is {found}, expected {entry['bytes']} bytes; "
                f"{AGAIN}"
            )
    return manifest


def content_digest(manifest: Mapping[str, Any]) -> str:
    """The digest of a directory's content: hexadecimal SHA-256 over its file names and digests.

    Directories with equal files have equal digests.
    """
    lines = [
        f"{entry['sha256']}  {entry['name']}\n"
        for entry in manifest["files"]
        if entry["name"] not in VOLATILE
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def model_digest(directory: Path) -> str:
    """The identity of a model: the digest of its weights and signatures, as its training wrote it.

    Without one, as in a model that something else made, the digest of its content.

    Raises:
        DataError: As ``read_manifest``.
    """
    manifest = read_manifest(directory)
    return str(manifest.get(MODEL_DIGEST) or content_digest(manifest))


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    name, size, digest = (entry.get(key) for key in ("name", "bytes", "sha256"))
    inside = isinstance(name, str) and not {"", ".", ".."} & set(name.split("/"))
    return inside and isinstance(size, int) and isinstance(digest, str)


def _size(path: Path) -> int | None:
    """Bytes of a file; None if it does not exist or no file can have the name."""
    try:
        return path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):
        return None


def file_digest(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
